from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from webapi.queue import FinishedJob, Retry, job
from webapi.services import notices
from webapi.services.addresses import Address, Line
from webapi.services.formats import Format
from webapi.services.queries import periods
from webapi.services.reports import asking, building, databases, delivery

MOST_RECIPIENTS = 50
A_MONTH = 31 * 86400  # seconds
OF_BEFORE = {"days", "kind"}
Value = Annotated[str, StringConstraints(max_length=10_000)]


class ReportRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    report: str = Field(
        "jobs", max_length=120, description="One of your reports; jobs and receipts are there for everybody."
    )
    parameters: dict[str, Value] = Field(
        default_factory=dict,
        max_length=20,
        description="Their values by name; the others have their defaults.",
        examples=[{"period": "last_month"}],
    )
    title: Line | None = Field(None, min_length=1, max_length=120, description="Instead of the report's own.")
    format: Format = "csv"
    timezone: asking.Zone = Field("UTC", title="Time zone", description="Where a day and a period begin.")
    send_to: list[Address] = Field(
        default_factory=list, max_length=MOST_RECIPIENTS, description="Mail it to them, one address a line."
    )
    attach: bool = Field(True, description="Attach the file; otherwise, or when it is too large, the mail has a link.")
    skip_empty: bool = Field(False, description="Mail nothing when there are no rows.")
    mail_me: bool = Field(False, description="Mail me when it is ready.")
    max_age: int | None = Field(
        None,
        ge=0,
        le=A_MONTH,
        title="May be this old",
        description="Seconds. The same report that was built so lately is taken; 0 always builds a new one.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_before(cls, given: Any) -> Any:
        """What was accepted when there was one report, and its `days` and `kind` were no parameters."""
        if not isinstance(given, dict) or not OF_BEFORE & given.keys() or given.keys() & {"report", "parameters"}:
            return given
        days = given.get("days", 30)
        if type(days) is not int or not 1 <= days <= 366:
            return given
        tomorrow = datetime.now(UTC).date() + periods.DAY
        parameters = {"period": periods.spelt((tomorrow - days * periods.DAY, tomorrow)), "kind": given.get("kind")}
        rest = {name: value for name, value in given.items() if name not in OF_BEFORE}
        return {**rest, "parameters": {name: value for name, value in parameters.items() if value is not None}}


class ReportMail(BaseModel):
    """Whom to mail the report of a finished job."""

    job_id: UUID
    to: list[str]
    attach: bool


def prepare(request: ReportRequest, owner_id: UUID) -> ReportRequest:
    return recur(request, owner_id, datetime.now(UTC), request.timezone)


def recur(request: ReportRequest, owner_id: UUID, at: datetime, timezone: str) -> ReportRequest:
    """Fixed for one moment: the version, and the days that "last month" means in the time zone at that moment."""
    report, parameters = asking.pinned(owner_id, request.report, request.parameters, timezone, at)
    return request.model_copy(update={"report": report, "parameters": parameters, "timezone": timezone})


def following(request: ReportRequest, finished: FinishedJob) -> Sequence[tuple[str, BaseModel]]:
    if request.skip_empty and not finished.result["rows"]:
        return ()
    mail = ReportMail(job_id=UUID(finished.job_id), to=request.send_to, attach=request.attach)
    sent: list[tuple[str, BaseModel]] = [("email.report", mail)] if request.send_to else []
    return [*sent, ("email.report_ready", finished)] if request.mail_me else sent


def to_send(request: ReportRequest) -> int:
    return len(set(request.send_to))


@job(
    "report.build",
    queue="reports",
    retry=Retry(on=(OSError,)),
    mails=to_send,
    prepare=prepare,
    recur=recur,
    on_success=following,
    ready=databases.check_all,
    public=True,
    soft_time_limit=1740,
    time_limit=1800,
)
def build_report(request: ReportRequest) -> dict[str, Any]:
    """Build a report, with a manifest that proves it complete."""
    wanted = request.model_dump(include={"report", "parameters", "format", "timezone", "title", "max_age"})
    return building.build(building.Order(**wanted))


def recipients(wanted: ReportMail) -> list[str]:
    return wanted.to


@job("email.report", queue="email", retry=Retry(on=(OSError,), budget=8), effects=recipients)
def mail_report(wanted: ReportMail) -> dict[str, Any]:
    """Mail a finished report."""
    return delivery.mail(wanted.job_id, wanted.to, attach=wanted.attach)


@job("email.report_ready", queue="email", retry=Retry(on=(OSError,), budget=8))
def announce_report(finished: FinishedJob) -> None:
    """Tell somebody that their report is ready."""
    notices.report_ready(UUID(finished.job_id))
