"""From rows to the shapes of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import Response, url_for
from pydantic import BaseModel

from webapi.blueprints.api.shapes import (
    ArtifactOut,
    EffectCounts,
    EffectList,
    EffectOut,
    EventList,
    EventOut,
    JobOut,
    KindOut,
    Links,
    Progress,
)
from webapi.models import Artifact, Effect, EffectState, Job, JobEvent, State
from webapi.queue import Kind
from webapi.queue.endings import Failure
from webapi.services import job_pages, jobs
from webapi.services.jobs import Accepted


def told(shape: BaseModel, status: int, headers: Mapping[str, str]) -> Response:
    """The answer, written by pydantic; APIFlask would make plain values of the shape first, and have those written."""
    return Response(shape.model_dump_json(), status, headers, content_type="application/json")


def shape_jobs(rows: Sequence[Job]) -> list[JobOut]:
    """Several jobs with their files and effects, in three queries however many they are."""
    ids = [row.id for row in rows]
    files, effects = job_pages.artifacts(ids), job_pages.effect_counts(ids)
    return [_shape(row, files[row.id], effects[row.id]) for row in rows]


def shape_accepted(accepted: Accepted) -> JobOut:
    """A job that was accepted just now: without a query, for it has no files, and its effects are all to come."""
    return _shape(accepted.job, [], {EffectState.PENDING: accepted.acts})


def _shape(job: Job, files: Sequence[Artifact], effects: dict[EffectState, int]) -> JobOut:
    here = url_for("api_jobs.show", job_id=job.id)  # the others lie below it; to build each took longer than the rest
    counts = {state.value: count for state, count in effects.items()}
    counts["unknown"] = counts.get("unknown", 0) + counts.pop("inflight", 0)
    return JobOut(
        id=job.id,
        kind=job.kind,
        state=State(job.state),
        attempt=job.attempt,
        progress=Progress(percent=job.progress, note=job.progress_note),
        payload=jobs.payload(job),
        result=job.result,
        error=Failure(code=job.error_code, message=job.error_public) if job.error_code else None,
        tags=job.tags,
        priority=job.priority,
        sandbox=job.sandbox,
        callback_url=job.callback_url,
        created_at=job.created_at,
        run_at=job.run_at,
        deadline_at=job.deadline_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        cancel_requested_at=job.cancel_requested_at,
        effects=EffectCounts(**counts),
        artifacts=[_shape_file(job.id, file) for file in files],
        links=Links(
            self=here,
            events=f"{here}/events",
            effects=f"{here}/effects",
            logs=f"{here}/logs",
            cancel=f"{here}/cancel",
            replay=f"{here}/replay",
            resolve=f"{here}/resolve",
            release=f"{here}/release",
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
        rate=kind.rate,
        concurrency=kind.concurrency,
        payload=kind.payload.model_json_schema(),
        links={"submit": url_for("api_jobs.submit", kind=kind.name), "form": url_for("jobs.form", kind_name=kind.name)},
    )


def shape_events(rows: Sequence[JobEvent]) -> EventList:
    return EventList(events=[EventOut.model_validate(row) for row in rows])


def shape_effects(rows: Sequence[Effect]) -> EffectList:
    return EffectList(effects=[EffectOut.model_validate(row) for row in rows])
