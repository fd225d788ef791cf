from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.queue import FinishedJob, Retry, current, job
from webapi.services import notices, reports
from webapi.services.addresses import Line


class ReportRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Line = Field("My jobs", min_length=1, max_length=120)
    days: int = Field(30, ge=1, le=366, description="How far back the report goes.")
    kind: str | None = Field(None, max_length=100, description="Only jobs of this kind, for example email.send.")
    format: reports.Format = "csv"
    mail_me: bool = Field(False, description="Mail me when it is ready.")


def following(request: ReportRequest) -> str | None:
    return "email.report_ready" if request.mail_me else None


@job(
    "report.build",
    queue="reports",
    retry=Retry(on=(OSError,)),
    on_success=following,
    public=True,
    soft_time_limit=1740,
    time_limit=1800,
)
def build_report(request: ReportRequest) -> dict[str, Any]:
    """Build a report of your jobs, with a manifest that proves it complete."""
    attempt = current()
    assert attempt is not None, "a report is about the owner of its job"
    return reports.build(request.title, attempt.owner_id, request.days, request.kind, request.format)


@job("email.report_ready", queue="email", retry=Retry(on=(OSError,), budget=8))
def announce_report(finished: FinishedJob) -> None:
    """Tell somebody that their report is ready."""
    notices.report_ready(UUID(finished.job_id))
