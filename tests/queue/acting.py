"""Kinds that act on a world outside which is a list in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from webapi.models import EffectState
from webapi.queue import DECLARATION, Kind, Retry, job, new_file
from webapi.queue.effects import outstanding

WORLD: list[str] = []


class Errands(BaseModel):
    """What to do; each word is one act."""

    acts: list[str] = ["one", "two"]


class Anything(BaseModel):
    """A payload that a test fills as it likes."""

    value: Any = None


def listed(errands: Errands) -> list[str]:
    return errands.acts


def _do(errands: Errands) -> None:
    for act in outstanding(errands.acts):
        act.mark()
        WORLD.append(act.key)
        act.settle(EffectState.DONE, code=250, reply="as you wish")


@job("errand.hold", effects=listed)
def hold(errands: Errands) -> None:
    """Do each act; what nobody can know waits for a person."""
    _do(errands)


@job("errand.resend", effects=listed, on_unknown="resend")
def resend(errands: Errands) -> None:
    """Do each act; what nobody can know is done again."""
    _do(errands)


@job("errand.once", retry=Retry(budget=1), effects=listed)
def once(errands: Errands) -> None:
    """Do each act, in one attempt."""
    _do(errands)


@job("return.odd")
def return_odd(anything: Anything) -> Any:
    """Return what no database takes for JSON."""
    return {"nan": float("nan"), "set": {1, 2}, "nul": "a\0b"}[anything.value]


@job("announce.file")
def announce_file(anything: Anything) -> None:
    """Announce a file, and do not write it."""
    new_file("never.txt", "text/plain")


@job("rated.fast", rate="20/s")
def run_at_a_rate(anything: Anything) -> None:
    """Run as often as the rate lets it."""


@job("rated.slow", rate="1/h")
def run_seldom(anything: Anything) -> None:
    """Run once an hour."""


@job("capped.two", concurrency=2)
def run_two_at_once(anything: Anything) -> None:
    """Run beside one other."""


class Step(BaseModel):
    """A quick job: what it leaves in the world, and what a test has prepared to happen in it."""

    name: str
    hook: str = ""


HOOKS: dict[str, Callable[[], Any]] = {}


@job("quick.step", batch=8)
def step(work: Step) -> Any:
    """Leave a name, and do what was prepared."""
    WORLD.append(work.name)
    return HOOKS[work.hook]() if work.hook else work.name


@job("single.step")
def single_step(work: Step) -> Any:
    """The same, each in a transaction of its own."""
    return step(work)


ALL = (step, single_step, hold, resend, once, return_odd, announce_file, run_at_a_rate, run_seldom, run_two_at_once)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (getattr(each, DECLARATION) for each in ALL)}
