"""What is told about a job that is over: to handlers, to what follows, and to a `callback_url`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from webapi.models import State


class FailedJob(BaseModel):
    """What a failure handler is told."""

    job_id: str
    kind: str
    error_code: str
    error: str


class Failure(BaseModel):
    """Why a job did not succeed: a code that stays the same and a sentence."""

    code: str
    message: str | None


class EndedJob(BaseModel):
    """What a `callback_url` is told: a job that is over, as its owner sees it in short, without its payload.

    `seq` goes up with each change of the job: of two calls about one job, the higher is the newer. A result of more
    than 16 kB is left out; whoever may see it gets it at `url`.
    """

    id: UUID
    kind: str
    state: State
    seq: int
    attempt: int
    result: Any
    result_left_out: bool
    error: Failure | None
    tags: list[str]
    sandbox: bool
    created_at: datetime
    finished_at: datetime
    url: str


class FinishedJob(BaseModel):
    """What is told to a kind that goes on after another one's success."""

    job_id: str
    result: Any = None
