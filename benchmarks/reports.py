"""Reports of a database beside their goals: built by a real worker, with manifest and totals, and by the best library.

    python -m benchmarks.reports [--rows 1000000] [--few 50000] [--runs 3]

In turns, after one of each that does not count. XLSX has `few` rows: XlsxWriter takes a minute for a million.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks import shop
from benchmarks.builds import build, check, shop_stage, straight, worker_of
from benchmarks.goals import Goal, table
from benchmarks.peaks import resident, watched
from benchmarks.stage import Stage

GOALS = {"csv": 0.8, "parquet": 0.9, "xlsx": 3.0}  # times what it stands beside
MEMORY = 150.0  # megabytes above the worker as it is without work


@dataclass
class Measured:
    rates: list[float] = field(default_factory=list)  # rows a second
    peaks: list[float] = field(default_factory=list)  # megabytes, above an idle worker where it is ours

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def spread(self) -> str:
        return f"{min(self.rates):,.0f} to {max(self.rates):,.0f}"


Found = dict[tuple[str, str, int], Measured]


def measure(there: Stage, reader: str, rows: int, few: int, runs: int) -> tuple[Found, float]:
    """What was found by format, who and rows, and the megabytes of the worker before it had work."""
    found: Found = defaultdict(Measured)
    idle = resident(worker_of()) / 1e6
    sizes = {"csv": (rows, few), "parquet": (rows, few), "xlsx": (few,)}
    for number in range(runs + 1):
        for kind, count in [(kind, count) for kind, counts in sizes.items() for count in counts]:
            seconds, megabytes = straight("shop", kind, reader, count)
            with watched(worker_of()) as peak:
                job, took = build(there, "shop", kind, count)
            check(job, reader, count)
            if number:
                found[kind, "straight", count].rates.append(count / seconds)
                found[kind, "straight", count].peaks.append(megabytes)
                found[kind, "ours", count].rates.append(count / took)
                found[kind, "ours", count].peaks.append(peak.bytes / 1e6 - idle)
    return found, idle


def report(found: Found, idle: float, runs: int, rows: int, few: int) -> None:
    print(f"## Reports, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"8 columns from PostgreSQL by a real worker; median of {runs}, in turns; {os.cpu_count()} cores,")
    print(
        f"Python {platform.python_version()}, SQLite ledger. Memory is resident, shared pages once; ours is above the"
    )
    print(f"worker without work, whose processes have {idle:,.0f} MB together.\n")
    print("| format | who | rows | rows a second | least to most | memory |\n| --- | --- | --- | --- | --- | --- |")
    for (kind, who, count), one in found.items():
        name = "ours" if who == "ours" else shop.STRAIGHT["shop", kind][0]
        print(f"| {kind} | {name} | {count:,} | {one.rate:,.0f} | {one.spread} | {max(one.peaks):,.0f} MB |")
    print(table([*quick(found, rows, few), *lean(found, rows, few)]))


def quick(found: Found, rows: int, few: int) -> Iterator[Goal]:
    """Rates beside those of the best library."""
    for kind, goal in GOALS.items():
        count = few if kind == "xlsx" else rows
        ours, other = found[kind, "ours", count].rate, found[kind, "straight", count].rate
        peer = shop.STRAIGHT["shop", kind][0]
        met, beside = ours >= goal * other, f"{ours / other:.2f} × {peer}"
        yield Goal(f"report as {kind}: ≥ {goal:g} × {peer}", f"{ours:,.0f} rows/s", beside, met)


def lean(found: Found, rows: int, few: int) -> Iterator[Goal]:
    """Memory, and that it does not grow with the rows."""
    for kind in ("csv", "parquet"):
        most, least = (max(found[kind, "ours", count].peaks) for count in (rows, few))
        wanted = f"memory of a report as {kind}: < {MEMORY:g} MB above the idle worker"
        beside = f"{most - least:+,.0f} MB for {rows // few} × the rows"
        yield Goal(wanted, f"{most:,.0f} MB", beside, most < MEMORY)


def main(rows: int, few: int, runs: int) -> None:
    with shop_stage(rows) as (there, reader, _):
        report(*measure(there, reader, rows, few, runs), runs, rows, few)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    main(**vars(parser.parse_args()))
