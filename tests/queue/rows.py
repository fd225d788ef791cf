"""The ledger as tests fill it, change it behind the protocol's back, and read it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select, update

from webapi.extensions import db
from webapi.models import Artifact, Effect, Job, JobEvent, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import submit

OWNER = UUID("01900000-0000-7000-8000-00000000ada0")


def add_owner(owner_id: UUID = OWNER, email: str = "ada@example.com") -> User:
    """Somebody who owns jobs and never signs in, so that no password is hashed."""
    with writing() as session:
        user = User(id=owner_id, email=email, name="Ada", password_hash="none")
        user.verified_at = now()
        session.add(user)
    return user


def accept(kind: str, payload: BaseModel, **options: Any) -> UUID:
    job_id: UUID = submit(kind, payload, owner_id=options.pop("owner_id", OWNER), **options).id
    return job_id


def job(job_id: UUID) -> Job:
    """The row as it is now, not as this session last saw it."""
    db.session.rollback()
    return db.session.get_one(Job, job_id, populate_existing=True)


def states(job_id: UUID) -> list[str]:
    """What the events say, in their order."""
    db.session.rollback()
    query = select(JobEvent.to_state).where(JobEvent.job_id == job_id).order_by(JobEvent.seq)
    return [str(state) for state in db.session.scalars(query)]


def effects(job_id: UUID) -> dict[str, Effect]:
    db.session.rollback()
    query = select(Effect).where(Effect.job_id == job_id).execution_options(populate_existing=True)
    return {effect.effect_key: effect for effect in db.session.scalars(query)}


def artifacts(job_id: UUID) -> list[Artifact]:
    db.session.rollback()
    return list(db.session.scalars(select(Artifact).where(Artifact.job_id == job_id).order_by(Artifact.name)))


def change(job_id: UUID, **values: Any) -> None:
    """Write columns as no code of ours would: to make the past that a test needs."""
    with writing() as session:
        session.execute(update(Job).where(Job.id == job_id).values(**values))
