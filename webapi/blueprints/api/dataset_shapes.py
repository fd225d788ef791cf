"""The shapes of what the doors for datasets take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.blueprints.api.shapes import Progress
from webapi.services.datasets.ways import Ways


class DatasetQuery(BaseModel):
    """How the file and the dataset are called."""

    file_name: str = Field(min_length=1, max_length=200)
    name: str | None = Field(
        None, max_length=60, description="As statements call it; left out, one that reminds of the file's."
    )


class FileQuery(BaseModel):
    """How the file is called."""

    file_name: str = Field(min_length=1, max_length=200)


class RemovalQuery(BaseModel):
    """What is to become of the reports that read it."""

    dependents: Literal["refuse", "keep"] = Field(
        "refuse", description="keep: delete it although reports read it. They stay, and cannot be built."
    )


class DatasetChange(BaseModel):
    """What to change; what is left out stays. With `options` the file is read again as these say."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=60)
    options: Ways | None = None


class ColumnOut(BaseModel):
    name: str
    type: str


class DependentOut(BaseModel):
    """A report that reads the dataset."""

    report: UUID
    name: str


class DatasetLine(BaseModel):
    """A dataset in a list. `state` is `inspecting` until its whole file has been read, then `ready` or `faulty`."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    file_name: str
    format: str
    size: int
    sha256: str
    state: Literal["inspecting", "ready", "faulty"]
    problem: str | None
    progress: Progress
    rows: int | None
    created_at: datetime
    changed_at: datetime
    links: dict[str, str]


class DatasetList(BaseModel):
    datasets: list[DatasetLine]


class DatasetOut(DatasetLine):
    """A dataset. `options` were given by a person, `read_as` is how its file was read by them and by its looks."""

    columns: list[ColumnOut]
    options: dict[str, Any]
    read_as: dict[str, Any]
    notes: list[str]
    used_by: list[DependentOut]


class PreviewOut(BaseModel):
    """The first rows; cells longer than 100 characters are cut and end with `…`."""

    columns: list[ColumnOut]
    rows: list[list[Any]]
