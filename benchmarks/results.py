"""The page that a whole run leaves behind: what was wanted and what was measured first, then all that was printed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from benchmarks import goals

GRACE = 10.0  # seconds for a program to end what it has started
LISTENING = 1.0  # seconds for the last of its complaints, which a process that it left behind may hold up
HEAD = """# Results

`make bench` writes this whole page; what is measured by hand is in [BY_HAND.md](BY_HAND.md), and
[docs/performance.md](../docs/performance.md) says how. Ours keeps a ledger on PostgreSQL with fsync, the peers keep
what their names say. The ratios within one run count."""


@dataclass(frozen=True)
class Program:
    """A module of the benchmarks with its options, the seconds that it may take, and the goals that it measures."""

    words: Sequence[str]
    seconds: float
    wanted: Sequence[str]

    @property
    def name(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Outcome:
    """What a program printed, how long it took, and why it did not come to its end, if it did not."""

    printed: str
    seconds: float
    failure: str | None = None


def run(command: Sequence[str], seconds: float) -> Outcome:
    """Run a command and take what it prints; what it complains of is passed on. It is ended when its time is up."""
    began, late, complaints = time.monotonic(), False, deque[str](maxlen=1)
    with TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
        listener = threading.Thread(target=_pass_on, args=(process.stderr, complaints), daemon=True)
        listener.start()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            late = True
            _end(process)
        listener.join(LISTENING)
        printed.seek(0)
        words = printed.read().strip()
    said = "".join(complaints).strip().removeprefix(f"{command[0]}: ")
    why = f"ended with {process.returncode}: {said}".rstrip(": ") if process.returncode else None
    return Outcome(words, time.monotonic() - began, f"was not over after {seconds:,.0f} s" if late else why)


def _pass_on(stream: IO[str], kept: deque[str]) -> None:
    for line in stream:
        sys.stderr.write(line)
        kept.append(line)


def _end(process: subprocess.Popen[str]) -> None:
    """A stage takes all that it has started with it, also when it is killed."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def rows(program: Program, outcome: Outcome | None) -> list[str]:
    """Its rows of the table of goals. What it did not measure stands there too."""
    found = list(goals.read(outcome.printed)) if outcome else []
    if outcome and outcome.failure is None and found:
        return found
    why = "not run" if outcome is None else outcome.failure or "says nothing of its goal"
    why = why.replace("|", "\\|")
    said = " ".join(found)
    silent = [each for each in program.wanted if each not in said]
    return found + [f"| {each} | `{program.name}` {why} | | **not measured** |" for each in silent]


def page(facts: Sequence[str], outcomes: Sequence[tuple[Program, Outcome | None]]) -> str:
    """The whole page. An outcome that is None stands for a program that was not run."""
    table = [row for program, outcome in outcomes for row in rows(program, outcome)]
    parts = [HEAD, "\n".join(f"- {fact}" for fact in facts), "\n".join(["## Goals", *goals.table(table).split("\n")])]
    for program, outcome in outcomes:
        if outcome is not None:
            parts.append(outcome.printed or f"## {program.name}")
            ended = f" It {outcome.failure}." if outcome.failure else ""
            parts.append(f"`python -m benchmarks.{program.name}` took {outcome.seconds:,.0f} s.{ended}")
    return "\n\n".join(parts) + "\n"
