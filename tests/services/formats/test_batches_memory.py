"""Memory does not grow with the rows: each file is written by a process of its own, whose peak the kernel tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.source import ROOT
from webapi.services.formats import Format

# ru_maxrss would do, if a process that is started did not inherit it from the one that starts it.
CHILD = """
import re, sys
from pathlib import Path
from tests.services.formats.sample import written
from webapi.services.formats import Chart
def megabytes(name):
    return int(re.search(name + r":\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
path, file_format, count = sys.argv[1:]
before = megabytes("VmRSS")
done = written(Path(path), file_format, int(count), Chart("line", "day", ("price",)))
assert done.rows == int(count)
print(megabytes("VmHWM") - before)
"""
needs_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells the peak there")


def peak(path: Path, file_format: Format, rows: int) -> float:
    """Megabytes above those of an idle process."""
    command = [sys.executable, "-c", CHILD, str(path), file_format, str(rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    print(f"{file_format}: {rows:,} rows, peak {float(done.stdout):.0f} MB above idle")
    return float(done.stdout)


@needs_linux
@pytest.mark.soak
@pytest.mark.parametrize(
    ("file_format", "more"), [("csv", 10), ("json", 10), ("html", 15), ("xlsx", 15), ("parquet", 60)]
)
def test_50_000_rows_take_little_more_memory_than_1_000(tmp_path: Path, file_format: Format, more: int) -> None:
    grown = peak(tmp_path / "many", file_format, 50_000) - peak(tmp_path / "few", file_format, 1000)
    assert grown < more, f"{grown:.0f} MB more"


@needs_linux
@pytest.mark.soak
@pytest.mark.parametrize(
    ("file_format", "rows", "most"), [("csv", 1_000_000, 20), ("xlsx", 1_100_000, 60), ("parquet", 1_000_000, 160)]
)
def test_a_million_rows_stay_within_a_stated_peak(tmp_path: Path, file_format: Format, rows: int, most: int) -> None:
    assert peak(tmp_path / "many", file_format, rows) < most
