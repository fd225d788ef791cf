"""What follows a job: a job of another kind, submitted in the transaction that records how the first one ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import current_app
from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, Text, and_, cast, func, select
from sqlalchemy.orm import Session
from structlog import get_logger
from uuid_utils.compat import uuid7

from webapi.models import Job, JobEvent, State
from webapi.queue.attempt import Attempt
from webapi.queue.endings import EndedJob, FailedJob, Failure, FinishedJob
from webapi.queue.job import Kind
from webapi.queue.ledger import CALLBACK, Moved
from webapi.queue.seals import opened
from webapi.queue.submit import insert_job

TAG = "callback"  # by which such a call is known from others that follow a job
LARGEST_RESULT = 16_384  # bytes of JSON; a larger one is fetched by whoever wants it

log = get_logger()


def announce_failure(session: Session, job: Moved, code: str, sentence: str) -> None:
    """Submit the kind's `on_failure`, if it names one. It is as durable as the failure itself."""
    kind: Kind | None = current_app.extensions["kinds"].get(job.kind)
    if kind is None or kind.on_failure is None:
        return
    handler: Kind = current_app.extensions["kinds"][kind.on_failure]
    told = FailedJob(job_id=str(job.id), kind=job.kind, error_code=code, error=sentence)
    payload = handler.payload.model_validate(told.model_dump())
    sandbox = session.scalar(select(Job.sandbox).where(Job.id == job.id))
    insert_job(session, handler, payload, id=uuid7(), owner_id=job.owner_id, parent_id=job.id, sandbox=sandbox)


def announce_success(session: Session, job: Moved, attempt: Attempt, result: Any) -> None:
    """Submit what the `on_success` of the attempt's kind, if it has one, says for its payload.

    What an earlier success of the job was followed by is not done again when the job is: nobody gets a second mail.
    """
    if attempt.kind.on_success is None:
        return
    done = set(session.scalars(select(Job.kind).where(Job.parent_id == job.id)))
    payload = opened(attempt.kind, attempt.payload, attempt.owner_id)
    for following, given in attempt.kind.on_success(payload, FinishedJob(job_id=str(job.id), result=result)):
        if following in done:
            continue
        handler: Kind = current_app.extensions["kinds"][following]
        checked = handler.payload.model_validate(given.model_dump())
        insert_job(
            session, handler, checked, id=uuid7(), owner_id=job.owner_id, parent_id=job.id, sandbox=attempt.sandbox
        )


def announce_end(session: Session, jobs: Sequence[Moved], state: State) -> None:
    """Submit the call to the `callback_url` of each that has one and is over; of any other, nothing.

    In the transaction that moved the job, so that each end, and each later verdict on an uncertain one, is told by
    one call. The call itself has no callback, and no quota refuses it.
    """
    for job in jobs if state.final else ():
        if job.callback_url is None:
            continue
        ended = _ended(session, job, state)
        kind: Kind = current_app.extensions["kinds"][CALLBACK]
        payload = _call(kind, job, ended) or _call(kind, job, _without_result(ended))
        if payload is None:
            # Its URL was taken once. A job that could never end would be worse; the audit names this one.
            log.error("callback not possible", job=str(job.id), kind=job.kind)
        else:
            insert_job(
                session, kind, payload, id=uuid7(), owner_id=job.owner_id, parent_id=job.id, sandbox=ended.sandbox,
                tags=[TAG],
            )  # fmt: skip


def _call(kind: Kind, job: Moved, ended: EndedJob) -> BaseModel | None:
    """The call that tells of an end; None for what the kind does not take, as a result that is nested too deeply."""
    try:
        call = json.dumps({"url": job.callback_url, "data": ended.model_dump(mode="json")})
        return kind.payload.model_validate_json(call)
    except ValidationError:
        return None


def _without_result(ended: EndedJob) -> EndedJob:
    return ended.model_copy(update={"result": None, "result_left_out": True})


def tells_of(job_id: Any, call: Any) -> ColumnElement[bool]:
    """Whether the row `call` tells of an end of the job `job_id`."""
    return and_(call.parent_id == job_id, call.kind == CALLBACK, cast(call.tags, Text).contains(f'"{TAG}"'))


def _ended(session: Session, job: Moved, state: State) -> EndedJob:
    last = select(func.max(JobEvent.seq)).where(JobEvent.job_id == Job.id).scalar_subquery()
    columns = (Job.result, Job.error_code, Job.error_public, Job.tags, Job.sandbox, Job.created_at, Job.finished_at)
    row = session.execute(select(*columns, last.label("seq")).where(Job.id == job.id)).one()
    sendable = _sendable(row.result)
    return EndedJob(
        id=job.id, kind=job.kind, state=state, seq=row.seq, attempt=job.attempt,
        result=row.result if sendable else None, result_left_out=not sendable,
        error=Failure(code=row.error_code, message=row.error_public) if row.error_code else None,
        tags=row.tags, sandbox=row.sandbox, created_at=row.created_at, finished_at=row.finished_at,
        url=f"{current_app.config['PUBLIC_URL'].rstrip('/')}/api/v1/jobs/{job.id}",
    )  # fmt: skip


def _sendable(result: Any) -> bool:
    """Whether a result is small enough to be sent, and JSON that can be: no half of a surrogate pair."""
    try:
        return len(json.dumps(result, ensure_ascii=False).encode("utf-8")) <= LARGEST_RESULT
    except UnicodeEncodeError:
        return False
