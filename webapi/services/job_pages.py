"""What the page of one job shows beside the job itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from webapi.extensions import db
from webapi.models import Artifact, AttemptLog, Effect, EffectState, Job, JobEvent, Schedule
from webapi.models.columns import now
from webapi.queue import explain
from webapi.services import asking_again, jobs, timelines

MOST_CHILDREN = 20


@dataclass(frozen=True)
class Around:
    """The jobs and the schedule that a job belongs to. Of its children the newest; `children` of them there are."""

    parent: Job | None
    schedule: Schedule | None
    newest: list[Job]
    children: int


@dataclass(frozen=True)
class JobPage:
    """Everything about one job, read at one time."""

    job: Job
    payload: dict[str, Any]
    why: explain.Reason
    events: list[JobEvent]
    timeline: timelines.Timeline
    attempts: list[timelines.Try]
    effects: list[Effect]
    artifacts: list[Artifact]
    callbacks: list[Job]
    around: Around
    curl: str | None


def read(job: Job) -> JobPage:
    events, logs = jobs.events(job), logs_of(job.id)
    clock: datetime = db.session.execute(select(now())).scalar_one()
    return JobPage(
        job=job,
        payload=jobs.payload(job),
        why=explain.why(job),
        events=events,
        timeline=timelines.timeline(events, clock),
        attempts=timelines.attempts(events, logs),
        effects=jobs.effects(job),
        artifacts=artifacts([job.id])[job.id],
        callbacks=jobs.callbacks(job),
        around=_around(job),
        curl=asking_again.curl(job),
    )


def logs_of(job_id: UUID) -> list[AttemptLog]:
    """What each attempt of a job logged, the first attempt first."""
    query = select(AttemptLog).where(AttemptLog.job_id == job_id).order_by(AttemptLog.attempt)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def _around(job: Job) -> Around:
    """Of the same owner only."""
    mine = (Job.parent_id == job.id, Job.owner_id == job.owner_id)
    children = db.session.scalar(select(func.count()).select_from(Job).where(*mine)) or 0
    newest = select(Job).where(*mine).order_by(Job.id.desc()).limit(MOST_CHILDREN)
    parent = select(Job).where(Job.id == job.parent_id, Job.owner_id == job.owner_id)
    schedule = select(Schedule).where(Schedule.id == job.schedule_id, Schedule.owner_id == job.owner_id)
    return Around(
        parent=db.session.scalar(parent) if job.parent_id else None,
        schedule=db.session.scalar(schedule) if job.schedule_id else None,
        newest=list(db.session.scalars(newest)) if children else [],
        children=children,
    )


def artifacts(job_ids: Sequence[UUID]) -> dict[UUID, list[Artifact]]:
    """The files of several jobs, in one query."""
    found: dict[UUID, list[Artifact]] = {job_id: [] for job_id in job_ids}
    for row in db.session.scalars(select(Artifact).where(Artifact.job_id.in_(job_ids)).order_by(Artifact.name)):
        found[row.job_id].append(row)
    return found


def effect_counts(job_ids: Sequence[UUID]) -> dict[UUID, dict[EffectState, int]]:
    """How the effects of several jobs stand, in one query."""
    found: dict[UUID, dict[EffectState, int]] = {job_id: {} for job_id in job_ids}
    query = select(Effect.job_id, Effect.state, func.count()).where(Effect.job_id.in_(job_ids))
    for job_id, state, count in db.session.execute(query.group_by(Effect.job_id, Effect.state)):
        found[job_id][EffectState(state)] = count
    return found
