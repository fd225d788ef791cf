"""The goals of the measurements, as rows of a table that `python -m benchmarks` finds in what a program printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

HEAD, LINE = "| goal | measured | beside | |", "| --- | --- | --- | --- |"


@dataclass(frozen=True)
class Goal:
    """What was wanted, the figure of ours, what it stands beside (a ratio, a peer, a limit), and whether it is met."""

    wanted: str
    figure: str
    beside: str
    met: bool

    def __str__(self) -> str:
        return f"| {self.wanted} | {self.figure} | {self.beside} | {'met' if self.met else '**missed**'} |"


def table(goals: Iterable[Goal | str]) -> str:
    """The goals as a table; a program prints it at the end of what it says."""
    return "\n".join(["", HEAD, LINE, *map(str, goals)])


def read(text: str) -> Iterator[str]:
    """The rows of such tables in what a program printed."""
    for part in text.split(f"{HEAD}\n{LINE}\n")[1:]:
        yield from takewhile(lambda line: line.startswith("|"), part.splitlines())
