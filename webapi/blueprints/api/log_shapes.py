"""The shapes of what attempts logged."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class LogLine(BaseModel):
    """One line, without secrets. `at` is by the worker's clock; `logger` is the module or the library that spoke."""

    at: datetime
    level: str
    logger: str
    text: str


class AttemptLogOut(BaseModel):
    """The first and the last lines of one attempt; `left_out` lines between them were not kept."""

    model_config = ConfigDict(from_attributes=True)

    attempt: int
    lines: list[LogLine]
    left_out: int


class AttemptLogList(BaseModel):
    """Attempts that logged nothing are left out."""

    attempts: list[AttemptLogOut]
