"""Memory does not grow with the rows: each file is written by a process of its own, whose peak the kernel tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source import ROOT
from webapi.services.formats import Format

CHILD = """
import resource, sys
from pathlib import Path
from tests.services.formats.sample import written
from webapi.services.formats import Chart
path, file_format, count = sys.argv[1:]
done = written(Path(path), file_format, int(count), Chart("line", "day", ("price",)))
assert done.rows == int(count)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB there")


def peak(path: Path, file_format: Format, rows: int) -> float:
    """Megabytes."""
    command = [sys.executable, "-c", CHILD, str(path), file_format, str(rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=900)
    return int(done.stdout) / 1024


@needs_linux
@pytest.mark.parametrize(
    ("file_format", "more"), [("csv", 10), ("json", 10), ("html", 15), ("xlsx", 15), ("parquet", 120)]
)
def test_50_000_rows_take_little_more_memory_than_1_000(tmp_path: Path, file_format: Format, more: int) -> None:
    grown = peak(tmp_path / "many", file_format, 50_000) - peak(tmp_path / "few", file_format, 1000)
    assert grown < more, f"{grown:.0f} MB more"


@needs_linux
@pytest.mark.soak
@pytest.mark.parametrize(
    ("file_format", "rows", "most"), [("csv", 1_000_000, 130), ("xlsx", 1_100_000, 180), ("parquet", 1_000_000, 330)]
)
def test_a_million_rows_stay_within_a_stated_peak(tmp_path: Path, file_format: Format, rows: int, most: int) -> None:
    megabytes = peak(tmp_path / "many", file_format, rows)
    print(f"{file_format}: {rows:,} rows, peak {megabytes:.0f} MB")
    assert megabytes < most
