"""Files of many rows, beside the straight use of the best library for each, in turns.

    python -m benchmarks.files [--rows 1000000] [--pdf-rows 10000] [--runs 3] [--source generated]

Each file is written by a process of its own; its memory is the most that it and its children have had together.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.writers import SOURCES, STRAIGHT

LOOK = 0.1  # seconds between two looks at the memory


@dataclass
class Measured:
    rows: int
    rates: list[float] = field(default_factory=list)  # rows a second
    peaks: list[float] = field(default_factory=list)  # megabytes
    size: float = 0.0  # megabytes

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def measure(source: str, who: str, kind: str, into: Measured) -> None:
    with tempfile.TemporaryDirectory(prefix="webapi-bench-") as folder:
        path = Path(folder, f"a.{kind}")
        command = [sys.executable, "-m", "benchmarks.writers", source, who, kind, str(into.rows), str(path)]
        child = psutil.Popen(command, stdout=subprocess.PIPE, text=True)
        peak = 0
        while child.poll() is None:
            try:
                peak = max(peak, sum(each.memory_info().rss for each in [child, *child.children(recursive=True)]))
                child.wait(LOOK)
            except (psutil.Error, subprocess.TimeoutExpired):
                continue
        said = child.stdout.read()
        if child.returncode:
            raise RuntimeError(f"{who} {kind}: {child.returncode}")
        into.rates.append(into.rows / float(said))
        into.peaks.append(peak / 1e6)
        into.size = path.stat().st_size / 1e6 if path.exists() else 0.0


def main(rows: int, pdf_rows: int, runs: int, source: str) -> None:
    found: dict[tuple[str, str], Measured] = {}
    for _ in range(runs):
        for kind in STRAIGHT:
            for who in ("straight", "ours") if kind != "nothing" else ("straight",):
                into = found.setdefault((kind, who), Measured(pdf_rows if kind == "pdf" else rows))
                measure(source, who, kind, into)
                print(f"{kind} {who}: {into.rates[-1]:,.0f}/s, {into.peaks[-1]:,.0f} MB", file=sys.stderr)
    report(found, runs, source)


def report(found: dict[tuple[str, str], Measured], runs: int, source: str) -> None:
    print(f"## Files of rows, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"8 columns, source: {source}; median of {runs}, in turns; {os.cpu_count()} cores,")
    print(f"Python {platform.python_version()}. Memory is of the process and its children together.\n")
    print("| | rows | rows a second | peak memory | file | ours is |\n| --- | --- | --- | --- | --- | --- |")
    for (kind, who), one in found.items():
        name = f"{kind}: ours" if who == "ours" else f"{kind}: {STRAIGHT[kind][0]}" if one.size else STRAIGHT[kind][0]
        ratio = f"{one.rate / found[kind, 'straight'].rate:.1f} ×" if who == "ours" else ""
        print(f"| {name} | {one.rows:,} | {one.rate:,.0f} | {max(one.peaks):,.0f} MB | {one.size:,.1f} MB | {ratio} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pdf-rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--source", choices=SOURCES, default="generated")
    main(**vars(parser.parse_args()))
