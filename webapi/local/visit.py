"""What a visit found out: its steps with what came of them, or the first thing that was wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from webapi.local.browser import Answer

T = TypeVar("T")

PATIENCE = 60.0  # seconds for one job, on a machine that is busy with something else
LOOK = 0.05  # seconds between two questions whether something has come about


class Wrong(Exception):
    """Something is missing or is not as promised. The message is a sentence."""


@dataclass
class Step:
    """A line of the table."""

    name: str
    came_of_it: str = ""
    milliseconds: float = 0.0


@dataclass
class Visit:
    """The steps so far, in their order. `pause` lets so many seconds pass."""

    pause: Callable[[float], None]
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time a step; whoever does it says what came of it. Raises Wrong, whatever goes wrong."""
        step, began = Step(name), time.monotonic()
        try:
            yield step
        except OSError as error:
            raise Wrong(f"{name}: there was no answer: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise Wrong(f"{name}: the answer does not look as documented: {error!r}") from error
        step.milliseconds = 1000 * (time.monotonic() - began)
        self.steps.append(step)

    def until(self, find: Callable[[], T | None], what: str) -> T:
        """Wait until `find` returns something. Raises Wrong when that takes too long."""
        deadline = time.monotonic() + PATIENCE
        while (found := find()) is None:
            if time.monotonic() > deadline:
                raise Wrong(f"Waited {PATIENCE:g} s in vain for {what}.")
            self.pause(LOOK)
        return found

    def table(self) -> str:
        head = Step("Step", "What came of it")
        wide, wider = (
            max(len(getattr(step, column)) for step in (head, *self.steps)) for column in ("name", "came_of_it")
        )
        lines = [f"{'Step':<{wide}}  {'What came of it':<{wider}}      ms"]
        lines.append("-" * len(lines[0]))
        lines += [f"{step.name:<{wide}}  {step.came_of_it:<{wider}}  {step.milliseconds:6.0f}" for step in self.steps]
        return "\n".join(lines)


def expect(answer: Answer, status: int, what: str) -> Answer:
    """The answer, if it has this status. Raises Wrong otherwise."""
    if answer.status != status:
        said = " ".join(answer.body.decode("utf-8", "replace").split())[:300]
        raise Wrong(f"{what} was answered with {answer.status} and not {status}: {said}")
    return answer
