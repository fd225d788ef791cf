"""When a schedule fires, as somebody writes it down."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from sqlalchemy import select

from webapi.extensions import db
from webapi.models import Schedule
from webapi.models.columns import now
from webapi.queue import cron
from webapi.services import jobs, targets
from webapi.services.addresses import Line


class Plan(BaseModel):
    """When a schedule fires, and what it is called."""

    model_config = ConfigDict(extra="forbid")

    name: Line = Field(min_length=1, max_length=100)
    timezone: Annotated[str, StringConstraints(max_length=64)] = Field("UTC", title="Time zone")
    cron: Annotated[str, StringConstraints(max_length=120)] = Field(
        title="Cron expression",
        description="Minute, hour, day of month, month, day of week: 0 9 * * 1-5 is each workday at nine.",
    )
    catchup: Literal["latest", "all", "none"] = Field(
        "latest",
        title="What was missed",
        description="While nothing ran: latest fires once for the newest missed time, all for each, none for none.",
    )
    callback_url: str | None = Field(
        None,
        max_length=jobs.LONGEST_URL,
        title="Callback URL",
        description="Where to tell, by an http.call, that one of its jobs is over.",
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        cron.zone(name)
        return name

    @field_validator("cron")
    @classmethod
    def _comes(cls, expression: str, info: ValidationInfo) -> str:
        cron.check(expression, info.data.get("timezone", "UTC"))
        return expression

    @field_validator("callback_url")
    @classmethod
    def _may_be_called(cls, url: str | None) -> str | None:
        return targets.checked(url, jobs.LONGEST_URL) if url else None

    @property
    def explained(self) -> str:
        return cron.explain(self.cron)

    def upcoming(self, count: int = 5) -> list[datetime]:
        """The next fire times, in the plan's time zone."""
        return cron.upcoming(self.cron, self.timezone, clock(), count)


def plan_of(schedule: Schedule) -> Plan:
    """The plan that a stored schedule follows, as it was checked when it was written."""
    return Plan.model_construct(**{name: getattr(schedule, name) for name in Plan.model_fields})


def clock() -> datetime:
    """The database's, by which schedules fire."""
    found: datetime = db.session.execute(select(now())).scalar_one()
    return found
