"""The shapes of what the doors for reports take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from webapi.services.queries.parameters import Parameter
from webapi.services.reports.asking import Zone
from webapi.services.reports.definition import Definition, Drawing

Value = Annotated[str, StringConstraints(max_length=10_000)]


class ReportIn(Definition):
    """A report to be written. In a statement over data a parameter is `$name`, over a database `:name`."""

    name: str = Field(max_length=100, description="Lower-case letters, digits, dots, dashes and underscores.")


class ReportChange(BaseModel):
    """What to change; what is left out stays."""

    title: str | None = None
    source: str | None = None
    sql: str | None = None
    parameters: list[Parameter] | None = None
    chart: Drawing | None = None
    locale: str | None = None


class ReportDraft(Definition):
    """A report that is not saved, with the values of its parameters."""

    values: dict[str, Value] = Field(default_factory=dict, max_length=20)
    timezone: Zone = "UTC"


class ReportLine(BaseModel):
    """A report in a list. `version` is its newest."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    version: int
    created_at: datetime
    changed_at: datetime


class ReportList(BaseModel):
    """Your reports by name, and the names of those that everybody has."""

    reports: list[ReportLine]
    built_in: list[str]
    sources: list[str]


class ReportOut(Definition):
    """A report with its newest version. `POST /jobs/report.build` builds it."""

    id: UUID
    name: str
    version: int
    created_at: datetime
    changed_at: datetime
    links: dict[str, str]


class ReportVersionLine(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    version: int
    title: str
    created_at: datetime


class ReportVersionList(BaseModel):
    """The versions of a report, newest first."""

    versions: list[ReportVersionLine]


class ColumnOut(BaseModel):
    name: str
    type: str


class Look(BaseModel):
    """The first rows of what a report would hold, as texts."""

    columns: list[ColumnOut]
    rows: list[list[str]]
    more: bool
