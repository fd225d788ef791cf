"""Slices of load, each from a process of its own, and what they come to."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Slices:
    """What was seen of one program: jobs a second, seconds to an answer, and the processor's microseconds for a job."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    web: list[float] = field(default_factory=list)
    servers: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def worst(self) -> float:
        """The median of the 99th percentiles."""
        return statistics.median(self.p99)

    def add(self, seen: dict[str, Any], size: int = 1) -> None:
        """Add a slice, each of whose requests was `size` jobs."""
        self.rates.append(seen["rate"] * size)
        self.p50.append(seen["p50"])
        self.p99.append(seen["p99"])
        for name, spent in (("web", self.web), ("servers", self.servers)):
            spent.append(seen[name] / seen["accepted"] / size * 1e6)


def at(values: list[float], share: float) -> float | None:
    """The value below which that share of them is; None when there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else None


def fire(
    port: int,
    path: str,
    body: str,
    *,
    clients: int,
    seconds: float,
    rate: float = 0.0,
    headers: Sequence[str] = (),
    keys: str = "",
) -> dict[str, Any]:
    """Run `benchmarks.load` once. Returns what it saw."""
    given = {"--clients": clients, "--seconds": seconds, "--rate": rate, "--keys": keys}
    options = [str(word) for option in given.items() for word in option]
    options += [word for header in headers for word in ("--header", header)]
    command = [sys.executable, "-m", "benchmarks.load", str(port), path, "-", *options]
    ended = subprocess.run(command, input=body, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - ours
    return dict(json.loads(ended.stdout))
