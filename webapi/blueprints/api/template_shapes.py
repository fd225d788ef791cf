"""The shapes of what the doors for templates take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from webapi.services.mail.templates import Wording

Value = Annotated[str, StringConstraints(max_length=20_000)]


class TemplateIn(Wording):
    """A template to be written. `{{first_name}}` stands for a value."""

    name: str = Field(max_length=100, description="Lower-case letters, digits, dots, dashes and underscores.")


class TemplateChange(BaseModel):
    """What to change; what is left out stays."""

    subject: str | None = None
    html: str | None = None
    text: str | None = None
    layout: bool | None = None


class Values(BaseModel):
    """What the placeholders stand for, by their names."""

    values: dict[str, Value] = Field(default_factory=dict, max_length=100)


class Draft(Wording):
    """A wording that is not saved, and what its placeholders stand for."""

    values: dict[str, Value] = Field(default_factory=dict, max_length=100)


class TemplateLine(BaseModel):
    """A template in a list. `version` is its newest."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    version: int
    created_at: datetime
    changed_at: datetime


class TemplateList(BaseModel):
    templates: list[TemplateLine]


class VersionOut(BaseModel):
    """What a version says, and the values that each recipient needs."""

    version: int
    subject: str
    html: str
    text: str
    layout: bool
    placeholders: list[str]


class TemplateOut(VersionOut):
    """A template with its newest wording."""

    id: UUID
    name: str
    created_at: datetime
    changed_at: datetime
    links: dict[str, str]


class VersionLine(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    version: int
    subject: str
    created_at: datetime


class VersionList(BaseModel):
    """The versions of a template, newest first."""

    versions: list[VersionLine]


class Preview(BaseModel):
    """What a recipient would read. What has no value shows as its own name, and is `missing`."""

    subject: str
    text: str
    html: str
    missing: list[str]
