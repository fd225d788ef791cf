"""The table at the end, and whether the drill was passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from webapi.local.drill.conduct import Outcome
from webapi.local.drill.journal import Row
from webapi.local.drill.plan import FAULTS, Size
from webapi.local.drill.recovery import Times

SHOWN = 5  # faults of a sort that are named; the logs hold the rest
STATES = ("succeeded", "uncertain", "failed", "cancelled", "expired")


@dataclass(frozen=True)
class Report:
    """Everything that one drill showed. `ends` are the programs that died under the supervisor, and how."""

    at: datetime
    database: str
    seed: int
    size: Size
    seconds: float
    outcome: Outcome
    ends: Sequence[tuple[str, str]]

    @property
    def passed(self) -> bool:
        return not self.faults() and not self.shortage()

    def faults(self) -> list[str]:
        """Every broken promise, as a sentence."""
        judged, found = self.outcome.judgement, self.outcome.findings
        broken = [
            f"Audit {each.name}: not so that {each.sentence}: {each.offenders}" for each in found if each.offenders
        ]
        deaf = [f"{self.outcome.deaf} workers live and take no jobs."] if self.outcome.deaf else []
        sorts = {"Lost": judged.lost, "Duplicated": judged.duplicated, "False verdict": judged.false}
        return [f"{sort}: {each}" for sort, all_of in sorts.items() for each in all_of] + broken + deaf

    def shortage(self) -> str:
        """Why the drill does not count; empty when it does."""
        jobs, hits = len(self.outcome.evidence.jobs), sum(kill.hit for kill in self.outcome.kills)
        if jobs >= self.size.least_jobs and hits >= self.size.least_hits:
            return ""
        return (
            f"Not enough happened: {hits} kills hit running work and {jobs} jobs were accepted; "
            f"this size needs {self.size.least_hits} and {self.size.least_jobs}."
        )

    def __str__(self) -> str:
        lines = [self._title(), "", *self._work(), "", *self._promises(), "", *self._kills(), "", *self._recovery(), ""]
        faults = self.faults()
        lines += faults[:SHOWN] + ([f"… and {len(faults) - SHOWN} more."] if len(faults) > SHOWN else [])
        if shortage := self.shortage():
            lines.append(shortage)
        lines.append("PASSED" if self.passed else "FAILED")
        return "\n".join(lines)

    def _title(self) -> str:
        return f"The drill of {self.at:%Y-%m-%d %H:%M %Z}: {self.database}, seed {self.seed}, {self.seconds:.0f} s"

    def _work(self) -> list[str]:
        requests, judged = self.outcome.evidence.requests, self.outcome.judgement
        kinds = Counter(job["kind"] for job in self.outcome.evidence.jobs)
        return [
            _line("Submitted", len(self.outcome.evidence.jobs), _listed(kinds)),
            _line("Requests", _count(requests, "asked"), f"{_unanswered(requests)} of them had no answer"),
            _line("Finished", sum(judged.states[state] for state in STATES), _listed(judged.states)),
            _line("Given up after 3 crashes", self.outcome.given_up, f"{self.outcome.replayed} of them were run again"),
            _line("Receipts at the sinks", _count(self.outcome.evidence.sinks, "receipt"), self._receipts()),
        ]

    def _receipts(self) -> str:
        rows = [row for row in self.outcome.evidence.sinks if row["what"] == "receipt"]
        return _listed(Counter("HTTP" if row["effect"].startswith("POST ") else "SMTP" for row in rows))

    def _promises(self) -> list[str]:
        judged = self.outcome.judgement
        arrived, absent = judged.uncertain_arrived, judged.uncertain_absent
        broken = sum(bool(each.offenders) for each in self.outcome.findings)
        return [
            _line("Lost", len(judged.lost)),
            _line("Duplicated", len(judged.duplicated)),
            _line("False verdicts", len(judged.false)),
            _line("Broken invariants", broken, f"flask audit checked {len(self.outcome.findings)}"),
            _line("Deaf workers", self.outcome.deaf),
            _line("Uncertain effects", arrived + absent, f"{arrived} had arrived, {absent} had not; nobody could know"),
        ]

    def _kills(self) -> list[str]:
        kills = self.outcome.kills
        rows = [_line("Kills that hit / all", f"{sum(kill.hit for kill in kills)} / {len(kills)}")]
        for fault in FAULTS:
            of_sort = [kill.hit for kill in kills if kill.what == fault]
            rows.append(_line(f"  {fault}", f"{sum(of_sort)} / {len(of_sort)}"))
        by_itself = Counter(f"{name} {how}" for name, how in self.ends if "SIGKILL" not in how)
        return [*rows, _line("Died by itself", by_itself.total(), _listed(by_itself))]

    def _recovery(self) -> list[str]:
        times = {
            "until the next job finished": self.outcome.recovery.finished,
            "until the dead worker's job was queued": self.outcome.recovery.queued,
            "until it ran again, behind the queue": self.outcome.recovery.again,
        }
        head = f"{'Seconds after a kill':<42}{'median':>8}{'p95':>8}{'max':>8}"
        return [head, *(f"  {what:<40}{_times(found)}" for what, found in times.items())]


def _line(name: str, figure: object, note: str = "") -> str:
    shown = f"{figure:,}" if isinstance(figure, int) else str(figure)
    return f"{name:<26}{shown:>11}   {note}".rstrip()


def _listed(counts: Counter[str]) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _times(found: Times | None) -> str:
    return "       –" * 3 if found is None else f"{found.median:8.2f}{found.p95:8.2f}{found.longest:8.2f}"


def _count(rows: Sequence[Row], what: str) -> int:
    return sum(row["what"] == what for row in rows)


def _unanswered(rows: Sequence[Row]) -> int:
    return _count(rows, "asked") - _count(rows, "answered")
