"""What follows a job: a job of another kind, submitted in the transaction that records how the first one ended."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from webapi.models import Job
from webapi.queue.job import FailedJob, FinishedJob, Kind
from webapi.queue.ledger import Moved
from webapi.queue.submit import insert_job


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


def announce_success(session: Session, job: Moved, kind: Kind, payload: Any, told: FinishedJob, sandbox: bool) -> None:
    """Submit what the kind's `on_success` says for this payload."""
    for following, given in kind.on_success(payload, told) if kind.on_success else ():
        handler: Kind = current_app.extensions["kinds"][following]
        checked = handler.payload.model_validate(given.model_dump())
        insert_job(session, handler, checked, id=uuid7(), owner_id=job.owner_id, parent_id=job.id, sandbox=sandbox)
