"""The shapes of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from pydantic import BaseModel, ConfigDict

from webapi.models import Artifact, Effect, EffectState, Job, JobEvent, State
from webapi.queue import Kind
from webapi.services import jobs


class Progress(BaseModel):
    percent: int
    note: str | None


class Failure(BaseModel):
    code: str
    message: str | None


class EffectCounts(BaseModel):
    done: int = 0
    pending: int = 0
    refused: int = 0
    unknown: int = 0


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
    cancel: str
    page: str


class JobOut(BaseModel):
    """A job as its owner sees it. Times are UTC."""

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
    created_at: datetime
    run_at: datetime
    deadline_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
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


class EffectOut(BaseModel):
    """One act on the outside world and what is known of it."""

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


class EffectList(BaseModel):
    effects: list[EffectOut]


class KindOut(BaseModel):
    """A kind of job, and the JSON Schema of its payload."""

    name: str
    summary: str
    queue: str
    attempts: int
    time_limit: float
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


class Me(BaseModel):
    """Who is asking."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    verified: bool


def shape_jobs(rows: Sequence[Job]) -> list[JobOut]:
    """Several jobs with their files and effects, in three queries however many they are."""
    ids = [row.id for row in rows]
    files, effects = jobs.artifacts(ids), jobs.effect_counts(ids)
    return [_shape(row, files[row.id], effects[row.id]) for row in rows]


def _shape(job: Job, files: Sequence[Artifact], effects: dict[EffectState, int]) -> JobOut:
    counts = {state.value: count for state, count in effects.items()}
    counts["unknown"] = counts.get("unknown", 0) + counts.pop("inflight", 0)
    return JobOut(
        id=job.id,
        kind=job.kind,
        state=State(job.state),
        attempt=job.attempt,
        progress=Progress(percent=job.progress, note=job.progress_note),
        payload=job.payload,
        result=job.result,
        error=Failure(code=job.error_code, message=job.error_public) if job.error_code else None,
        tags=job.tags,
        priority=job.priority,
        created_at=job.created_at,
        run_at=job.run_at,
        deadline_at=job.deadline_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        effects=EffectCounts(**counts),
        artifacts=[_shape_file(job.id, file) for file in files],
        links=Links(
            self=url_for("api_jobs.show", job_id=job.id),
            events=url_for("api_jobs.events", job_id=job.id),
            effects=url_for("api_jobs.effects", job_id=job.id),
            cancel=url_for("api_jobs.cancel", job_id=job.id),
            page=url_for("jobs.show", job_id=job.id),
        ),
    )


def _shape_file(job_id: UUID, file: Artifact) -> ArtifactOut:
    url = url_for("api_jobs.artifact", job_id=job_id, name=file.name)
    return ArtifactOut(name=file.name, size=file.size, sha256=file.sha256, media_type=file.media_type, url=url)


def shape_kind(kind: Kind) -> KindOut:
    return KindOut(
        name=kind.name,
        summary=kind.summary,
        queue=kind.queue,
        attempts=kind.retry.budget,
        time_limit=kind.time_limit,
        payload=kind.payload.model_json_schema(),
        links={"submit": url_for("api_jobs.submit", kind=kind.name), "form": url_for("jobs.form", kind_name=kind.name)},
    )


def shape_events(rows: Sequence[JobEvent]) -> EventList:
    return EventList(events=[EventOut.model_validate(row) for row in rows])


def shape_effects(rows: Sequence[Effect]) -> EffectList:
    return EffectList(effects=[EffectOut.model_validate(row) for row in rows])
