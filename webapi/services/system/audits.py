"""The audit of the ledger as a job: asked for by a button, done by a worker, its newest result kept as that job."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import literal_column, select

from webapi.extensions import db
from webapi.models import FINAL, Job, State, User
from webapi.queue import progress, submit
from webapi.queue.audit import MOST, Finding, audit

KIND = "system.audit"


class AuditOrder(BaseModel):
    """What the audit looks at beside the rows of the ledger."""

    files: bool = Field(False, description="Read the bytes of every file too, which takes as long as reading them.")


@dataclass(frozen=True)
class Audits:
    """`newest` is the audit that was asked for last; `findings` are those of `done`, the last that came to its end."""

    newest: Job | None
    done: Job | None
    findings: list[Finding]

    @property
    def under_way(self) -> bool:
        return self.newest is not None and State(self.newest.state) not in FINAL

    @property
    def broken(self) -> list[Finding]:
        return [each for each in self.findings if each.offenders]


def ask(administrator: User, *, files: bool = False) -> bool:
    """Ask for an audit. False when one is under way already."""
    if latest().under_way:
        return False
    submit(KIND, AuditOrder(files=files), owner_id=administrator.id)
    return True


def run(order: AuditOrder) -> dict[str, Any]:
    """Check every invariant and return what was found, as it is kept. At most `MOST` offenders are named for each."""
    found = []
    for count, finding in enumerate(audit(files=order.files), 1):
        found.append(asdict(finding))
        progress(min(99, 7 * count), f"{finding.name}: {finding.sentence}")
    return {"findings": found, "files": order.files}


def latest() -> Audits:
    """The audits that were asked for last, by whichever administrator."""
    of_kind = select(Job).where(Job.kind == literal_column(f"'{KIND}'")).order_by(Job.id.desc())
    rows = db.session.scalars(of_kind.limit(20)).all()
    done = next((row for row in rows if row.state == State.SUCCEEDED), None)
    found = done.result["findings"] if done and done.result else []
    findings = [Finding(each["name"], each["sentence"], tuple(each["offenders"])) for each in found]
    return Audits(rows[0] if rows else None, done, findings)


def counted(finding: Finding) -> str:
    """`none`, `3`, `20 or more`."""
    count = len(finding.offenders)
    return f"{count} or more" if count >= MOST else str(count) if count else "none"
