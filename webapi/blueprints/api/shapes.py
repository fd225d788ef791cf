"""The shapes of the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webapi.models import EffectState, State
from webapi.queue.control import Answer
from webapi.queue.endings import Failure


class Progress(BaseModel):
    percent: int
    note: str | None


class EffectCounts(BaseModel):
    done: int = 0
    pending: int = 0
    refused: int = 0
    unknown: int = 0
    held: int = 0


class ArtifactOut(BaseModel):
    name: str
    size: int
    sha256: str
    media_type: str
    url: str


class Links(BaseModel):
    self: str
    events: str
    effects: str
    logs: str
    cancel: str
    replay: str
    resolve: str
    release: str
    page: str


class JobOut(BaseModel):
    """A job as its owner sees it. Times are UTC. In the sandbox, what it does to the outside world is only played."""

    id: UUID
    kind: str
    state: State
    attempt: int
    progress: Progress
    payload: dict[str, Any]
    result: Any
    error: Failure | None
    tags: list[str]
    priority: int
    sandbox: bool
    callback_url: str | None
    created_at: datetime
    run_at: datetime
    deadline_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    effects: EffectCounts
    artifacts: list[ArtifactOut]
    links: Links


class JobPage(BaseModel):
    """Some jobs, newest first. `next_cursor` is null on the last page."""

    jobs: list[JobOut]
    next_cursor: str | None


class EventOut(BaseModel):
    """One change of a job's state."""

    model_config = ConfigDict(from_attributes=True)

    seq: int
    at: datetime
    epoch: int
    attempt: int
    from_state: State | None
    to_state: State
    reason: str


class EventList(BaseModel):
    events: list[EventOut]


class Why(BaseModel):
    """Why a job is not running just now: a code, a sentence, and the evidence for both."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    sentence: str
    evidence: dict[str, Any]


class EffectOut(BaseModel):
    """One act on the outside world and what is known of it.

    `reply` of a held one says which rule holds it. `bounce` is what a delivery status notification told at
    `bounced_at` of a mail that a server had taken.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    effect_key: str
    kind: str
    state: EffectState
    try_no: int
    resends: int
    message_id: str | None
    code: int | None
    reply: str | None
    settled_at: datetime | None
    bounced_at: datetime | None
    bounce: str | None


class EffectList(BaseModel):
    effects: list[EffectOut]


class Resolution(BaseModel):
    """What a person found out about unknown effects, by the id of each."""

    effects: dict[UUID, Answer]


class Release(BaseModel):
    """Held effects that are to go whatever the rule says that holds them."""

    effects: set[UUID] = Field(min_length=1, max_length=1000)


class KindOut(BaseModel):
    """A kind of job, and the JSON Schema of its payload."""

    name: str
    summary: str
    queue: str
    attempts: int
    time_limit: float
    rate: str | None
    concurrency: int | None
    payload: dict[str, Any]
    links: dict[str, str]


class KindList(BaseModel):
    kinds: list[KindOut]


class UploadOut(BaseModel):
    """A file handed in; its id goes into a payload."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    size: int
    sha256: str
    media_type: str
    created_at: datetime


class Limit(BaseModel):
    """The most that there may be of something, and how much of it there is; null where nothing adds up."""

    most: int
    used: int | None = None


class Me(BaseModel):
    """Who is asking. In the `sandbox` of a test key, what jobs do to the outside world is only played."""

    id: UUID
    email: str
    name: str
    verified: bool
    sandbox: bool
    limits: dict[str, Limit]
