"""Mails of ours about somebody's own jobs: a report is ready, some jobs need them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from webapi.extensions import db
from webapi.models import Job, State, User
from webapi.models.columns import after
from webapi.services import links
from webapi.services.mail import mailer
from webapi.services.reports.delivery import finished

MOST_CAUSES = 8  # named in a digest


def report_ready(job_id: UUID) -> None:
    """The mail of `email.report_ready`. Raises NotFound when the job is gone, Snooze while it is run again."""
    job, manifest = finished(job_id)
    owner = db.session.get_one(User, job.owner_id)
    mailer.send_own(
        "report_ready", owner.email, name=owner.name, title=str(manifest.get("title", "Report")),
        rows=f"{manifest.get('rows', 0):,}", completeness=manifest.get("truncated") or "complete",
        link=links.public(f"/jobs/{job_id}"),
    )  # fmt: skip


def digest(owner_id: UUID, hours: int) -> dict[str, Any]:
    """Mail somebody what failed or ended uncertain in the last `hours` hours. Without any there is no mail."""
    wanted = [State.FAILED, State.UNCERTAIN]
    recent = (Job.owner_id == owner_id, Job.state.in_(wanted), Job.finished_at > after(-3600.0 * hours))
    by_cause = select(Job.kind, Job.state, Job.error_code, func.count()).where(*recent)
    rows = db.session.execute(by_cause.group_by(Job.kind, Job.state, Job.error_code)).all()
    counts = {state: sum(row[3] for row in rows if row[1] == state) for state in wanted}
    if not rows:
        return {"mailed": False, "failed": 0, "uncertain": 0}
    owner = db.session.get_one(User, owner_id)
    causes = sorted(rows, key=lambda row: -row[3])[:MOST_CAUSES]
    mailer.send_own(
        "digest", owner.email, name=owner.name, hours=str(hours), count=f"{sum(counts.values()):,}",
        failed=f"{counts[State.FAILED]:,}", uncertain=f"{counts[State.UNCERTAIN]:,}",
        causes="; ".join(f"{count} × {kind} {code or state}" for kind, state, code, count in causes),
        link=links.public("/jobs?state=failed&state=uncertain"),
    )  # fmt: skip
    return {"mailed": True, "failed": counts[State.FAILED], "uncertain": counts[State.UNCERTAIN]}
