from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from webapi.queue import Retry, current, job
from webapi.services import reports
from webapi.services.addresses import Line


class ReportRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Line = Field("My jobs", min_length=1, max_length=120)
    days: int = Field(30, ge=1, le=366, description="How far back the report goes.")
    kind: str | None = Field(None, max_length=100, description="Only jobs of this kind, for example email.send.")
    format: reports.Format = "csv"


@job("report.build", queue="reports", retry=Retry(on=(OSError,)), public=True, soft_time_limit=1740, time_limit=1800)
def build_report(request: ReportRequest) -> dict[str, Any]:
    """Build a report of your jobs, with a manifest that proves it complete."""
    attempt = current()
    assert attempt is not None, "a report is about the owner of its job"
    return reports.build(request.title, attempt.owner_id, request.days, request.kind, request.format)
