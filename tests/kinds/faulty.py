"""Kinds that misbehave on purpose. None is public."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel

from webapi.queue import FailedJob, Retry, job, new_file, progress


class Note(BaseModel):
    """Where a kind leaves one line for each time it ran."""

    path: str = ""
    times: int = 1

    def lines(self) -> list[str]:
        """The whole lines that were left so far. A file that exists may still be empty."""
        path = Path(self.path)
        return path.read_text().splitlines() if path.exists() else []


def _leave(note: Note, line: str) -> int:
    with Path(note.path).open("a") as file:
        file.write(line + "\n")
    return len(note.lines())


@job("test.note")
def leave_note(note: Note) -> dict[str, int]:
    """Leave one line."""
    return {"ran": _leave(note, "ran")}


@job("test.who")
def say_who(note: Note) -> None:
    """Leave the number of the worker's main process."""
    _leave(note, str(os.getppid()))


@job("test.flaky", retry=Retry(on=(OSError,), budget=3, base=0.1))
def fail_at_first(note: Note) -> str:
    """Fail `times` times with an error that passes, then succeed."""
    if _leave(note, "tried") <= note.times:
        raise ConnectionRefusedError(111, "Connection refused")
    return "well"


@job("test.broken", on_failure="test.told")
def break_always(note: Note) -> None:
    """Fail with an error that does not pass, whose message holds something private."""
    raise ValueError("canary@private.example")


@job("test.told")
def be_told(failed: FailedJob) -> dict[str, str]:
    """Keep what a failure handler is told."""
    return failed.model_dump()


@job("test.slow")
def work_slowly(note: Note) -> str:
    """Work until a file named like the note with `.go` appears."""
    _leave(note, f"pid {os.getpid()}")
    end = time.monotonic() + 60
    while not Path(note.path + ".go").exists() and time.monotonic() < end:
        progress(50, "half way")
        time.sleep(0.02)
    return "done"


@job("test.crash")
def crash(note: Note) -> None:
    """Kill the own process."""
    _leave(note, "crashed")
    os.kill(os.getpid(), signal.SIGKILL)


@job("test.exit")
def leave(note: Note) -> None:
    """Ask the whole program to end."""
    raise SystemExit(3)


@job("test.memory")
def eat(note: Note) -> None:
    """Run out of memory."""
    raise MemoryError


@job("test.overtime", soft_time_limit=0.5, time_limit=10)
def take_too_long(note: Note) -> None:
    """Work longer than allowed."""
    time.sleep(8)


@job("test.stubborn", soft_time_limit=0.3, time_limit=1)
def go_on_regardless(note: Note) -> None:
    """Take no notice of the soft limit."""
    _leave(note, "began")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(SoftTimeLimitExceeded):
            time.sleep(1)


@job("test.bigfile")
def write_big_file(note: Note) -> None:
    """Write a file of twenty megabytes."""
    new_file("big.bin", "application/octet-stream").write_bytes(b"x" * 20_000_000)


@job("test.file")
def write_file(note: Note) -> None:
    """Write one file."""
    new_file("hello.txt", "text/plain").write_text("hello")
