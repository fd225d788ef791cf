"""What the check of a mailing's file found, for a person to read before anything is sent."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import IO, Any

from webapi.services.formats.cells import inert
from webapi.services.mailings.rows import Checked
from webapi.services.tables.sheets import Row

NAMED = 200  # bad rows named on the page; the file beside it names all of them
DOUBTED = 50  # rows shown because something about them looks like a mistake


@dataclass
class Findings:
    """Counts, the bad rows by line, and the rows that are worth a look. It goes into the mailing's row as JSON."""

    columns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    good: int = 0
    bad: int = 0
    suppressed: int = 0
    doubtful: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[dict[str, Any]] = field(default_factory=list)
    first: dict[str, Any] | None = None
    longest: dict[str, Any] | None = None
    problem: str | None = None

    def add_bad(self, row: Row, fault: str) -> None:
        self.rows, self.bad = self.rows + 1, self.bad + 1
        if self.bad <= NAMED:
            self.faults.append({"line": row.line, "fault": fault})

    def add_good(self, checked: Checked) -> None:
        self.rows, self.good = self.rows + 1, self.good + 1
        shown = {"line": checked.line, "address": checked.address, "values": checked.values}
        self.first = self.first or shown
        if checked.length > (self.longest or {"length": -1})["length"]:
            self.longest = {**shown, "length": checked.length}
        if checked.doubts:
            self.doubtful += 1
            if self.doubtful <= DOUBTED:
                self.doubts.append({**shown, "doubts": list(checked.doubts)})


class FaultFile:
    """All the bad rows as CSV, for whoever mends the file."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(["line", "fault"])

    def add(self, row: Row, fault: str) -> None:
        self._writer.writerow([row.line, inert(fault)])
