"""Programs that the supervisor runs, and what became of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess  # nosec B404 - what is run is ours
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from webapi.local import leash

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds before a dead program is started again; doubled each time
SETTLED = 60.0  # seconds after which a program has proved that it can live, and its pauses begin anew
TAIL = 20  # lines of a log that are shown when its program did not start


@dataclass(frozen=True)
class Program:
    """What to run, with what input and as whom. Those of a higher floor need the lower ones, so they stop first."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    floor: int = 1
    stdin: bytes = b""
    user: str | None = None


@dataclass
class Child:
    """A program and the process that runs it, or is to run it again at `due` (a monotonic time)."""

    program: Program
    process: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)
    due: float | None = None
    pause: float = 0.0

    @property
    def ended(self) -> str | None:
        """How its process ended; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"

    def plan_revival(self, longest_pause: float = LONGEST_PAUSE) -> None:
        now = time.monotonic()
        grown = min(2 * self.pause, longest_pause)
        self.pause = grown if self.pause and now - self.began < SETTLED else FIRST_PAUSE
        self.due = now + self.pause


def spawn(program: Program, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Run a program in `folder` and in a process group of its own; what it says is added to `log`."""
    who = f"{os.getpid()}:{program.user or ''}"
    command = [sys.executable, "-I", leash.__file__, who, *program.command]
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 # nosec B603 - a command of ours, and no shell
            command,
            cwd=folder,
            env=program.environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:  # it died already; whoever waits for it will see
        process.stdin.write(program.stdin)
    return process


def tail(log: Path) -> str:
    """The last lines of a log, indented to be shown below a sentence."""
    lines = log.read_text("utf-8", "replace").splitlines()[-TAIL:] if log.exists() else []
    return "".join(f"\n    {line}" for line in lines)
