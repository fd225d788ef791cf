"""All that has a goal, measured beside the peers in one run, and written to benchmarks/RESULTS.md.

    python -m benchmarks [--minutes 15] [--only accept latency] [--into benchmarks/RESULTS.md]

A program that fails, or for which there is no time, is on the page as such.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.results import Outcome, Program, page, run

PAGE = Path(__file__).with_name("RESULTS.md")
LEAST = 5.0  # seconds; with less there is no point in beginning
PROGRAMS = (
    Program(
        ("accept", "--seconds", "2"),
        240,
        ("accept: ≥ 3 × Flask + `.delay()`, lower p99", "accept in batches of 1,000: ≥ 20,000 jobs/s"),
    ),
    Program(("latency",), 120, ("idle latency: no worse than Celery's",)),
    Program(
        ("work",),
        240,
        (
            "no-op jobs: ≥ 4 × Celery prefork",
            "no-op jobs: ≥ 2 × Huey, two commits each",
            "no-op jobs: ≥ 2 × Dramatiq, two commits each",
        ),
    ),
    Program(
        ("mail", "--rows", "5000", "--database", "postgresql"),
        120,
        ("mail, local sink: ≥ 2.5 × Flask-Mail's `send()`",),
    ),
    Program(
        ("mail", "--rows", "2000", "--delay", "0.01", "--database", "postgresql"),
        120,
        ("mail, 10 ms round trip: ≥ 40 × Flask-Mail's `send()`",),
    ),
    Program(
        ("reports",),
        240,
        ("report: CSV ≥ 0.8 × COPY; Parquet ≥ 0.9 × the best; XLSX ≥ 3 × XlsxWriter; memory under 150 MB",),
    ),
    Program(
        ("lists",),
        120,
        (
            "newest 50 of 1 million by owner and state, at any page: < 5 ms in SQL",
            "overview counts: < 5 ms in SQL",
        ),
    ),
    Program(("ledger",), 240, ("accept and claim at 200,000 jobs: ≥ 0.9 × the rate at 10,000",)),
    Program(("footprint",), 60, ("worker with 2 processes: ≤ 1.2 × a bare Celery worker",)),
    Program(("first_job",), 60, ("`make run` to the first finished job, warm: < 5 s",)),
    Program(
        ("overload",),
        180,
        ("overload: every accepted job finishes, whatever is offered", "overload: p99 of accepting < 1 s"),
    ),
)


def main(minutes: float, only: list[str], into: Path) -> int:
    """Returns how many programs failed or were not run."""
    wanted = [program for program in PROGRAMS if not only or program.words[0] in only]
    began, load = time.monotonic(), machine.load()
    outcomes: dict[Program, Outcome | None] = dict.fromkeys(wanted)
    for program in wanted:
        left = began + minutes * 60 - time.monotonic()
        if left > LEAST:
            print(f"# {program.name}", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", f"benchmarks.{program.words[0]}", *program.words[1:]]
            outcomes[program] = run(command, min(left, program.seconds))
        took = f"{(time.monotonic() - began) / 60:.1f} minutes, load {load} before"
        facts = [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {took}", *machine.described()]
        into.write_text(page(facts, list(outcomes.items())), "utf-8")  # what is known so far
    return sum(outcome is None or outcome.failure is not None for outcome in outcomes.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0, help="for all of them together")
    names = list(dict.fromkeys(program.words[0] for program in PROGRAMS))
    parser.add_argument("--only", nargs="*", choices=names, default=[])
    parser.add_argument("--into", type=Path, default=PAGE)
    sys.exit(bool(main(**vars(parser.parse_args()))))
