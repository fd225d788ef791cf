"""`flask recover`: hold mode after an older copy of the database was put back, and a person's way out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from webapi.errors import Conflict
from webapi.extensions import db
from webapi.models import Gate, Job, JobEvent, Schedule, SignIn, Ticket, User, Worker
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import cron, gates, restored
from webapi.queue.control import Answer
from webapi.queue.explain import GONE
from webapi.services import trail

PAUSED_BY = "flask recover"
LEFT_OUT = "Its fire times until {:%Y-%m-%d %H:%M} UTC were left out: the ledger was restored from an older copy."
TOGETHER = 50  # jobs in one transaction


@dataclass(frozen=True)
class Held:
    """What is held. `newest` is the last thing that the copy knows of; `jobs` are counted by kind."""

    newest: datetime | None
    jobs: dict[str, int]
    schedules: int
    paused: tuple[str, ...] = ()


def would_hold() -> Held:
    """What `hold` would do now."""
    late = db.session.scalar(select(func.count()).where(Schedule.next_at <= now(), ~Schedule.paused)) or 0
    return Held(_newest(), restored.counted(), late)


def hold() -> Held:
    """Hold everything that may have been done since the copy was taken, and let nothing else begin.

    Every kind is paused, due jobs become `uncertain`, missed fire times are left out, every session ends and links that
    wait to be used once are withdrawn: they may have been ended and used since. It may be run again. Raises Conflict
    while a worker seems to live.
    """
    _refuse_workers()
    found = would_hold()
    for kind in current_app.extensions["kinds"]:
        gates.pause(kind, PAUSED_BY)
    while restored.hold_some():
        continue
    schedules = _leave_out()
    with writing() as session:
        session.execute(update(User).values(session_epoch=User.session_epoch + 1))
        session.execute(delete(SignIn))
        session.execute(update(Ticket).where(Ticket.used_at.is_(None)).values(used_at=now()))
        trail.note("ledger.restored", actor=trail.COMMAND_LINE, jobs=sum(found.jobs.values()), schedules=schedules)
    return status()


def _refuse_workers() -> None:
    """The copy's own rows look alive if it is younger than a minute."""
    quiet = select(Worker.host, Worker.pid).where(Worker.seen_at > after(-GONE)).order_by(Worker.host, Worker.pid)
    found = db.session.execute(quiet).first()
    if found is not None:
        where = f"{found.host}:{found.pid}"
        raise Conflict(f"The worker {where} gave a sign of life within {GONE:.0f} s. Stop every worker first.")


def forget_workers() -> None:
    """Strike off the workers that the copy names, on the word of whoever stopped them all."""
    with writing() as session:
        session.execute(delete(Worker))


def _newest() -> datetime | None:
    return db.session.scalar(select(func.max(JobEvent.at)))


def _leave_out() -> int:
    """Move every schedule that is due to its next fire time to come. Returns how many."""
    clock: datetime = db.session.execute(select(now())).scalar_one()
    with writing() as session:
        late = session.scalars(select(Schedule).where(Schedule.next_at <= now(), ~Schedule.paused).with_for_update())
        rows = late.all()
        for row in rows:
            row.next_at = cron.first_after(row.cron, row.timezone, clock)
            row.problem = LEFT_OUT.format(clock)
    return len(rows)


def status() -> Held:
    """What is held now: jobs that wait for a person's word, and kinds that are still paused."""
    jobs = select(Job.kind, func.count()).where(*restored.held()).group_by(Job.kind).order_by(Job.kind)
    paused = select(Gate.kind).where(Gate.paused_by == PAUSED_BY, Gate.paused_at.is_not(None)).order_by(Gate.kind)
    left_out = select(func.count()).where(Schedule.problem.startswith(LEFT_OUT.partition("{")[0]))
    return Held(
        _newest(),
        {row[0]: row[1] for row in db.session.execute(jobs)},
        db.session.scalar(left_out) or 0,
        tuple(db.session.scalars(paused)),
    )


def resume() -> tuple[str, ...]:
    """Let the kinds go on that `hold` paused. Returns them; what is held stays held."""
    paused = status().paused
    with writing():
        for kind in paused:
            gates.resume(kind)
        trail.note("ledger.resumed", actor=trail.COMMAND_LINE)
    return paused


def settle(answer: Answer, kind: str | None = None, owner_id: UUID | None = None) -> int:
    """A person's word on every held job, or on those of a kind or an owner. Returns how many were settled."""

    def act(session: Session, job_id: UUID) -> None:
        restored.settle(session, job_id, answer, trail.COMMAND_LINE)

    done, reached = 0, UUID(int=0)
    query = select(Job.id).where(*restored.held(kind, owner_id)).order_by(Job.id).limit(TOGETHER)
    while ids := list(db.session.scalars(query.where(Job.id > reached))):
        done, reached = done + _together(ids, act), ids[-1]
    if done:
        with writing():
            what = "ledger.released" if answer == "resend" else "ledger.settled"
            trail.note(what, actor=trail.COMMAND_LINE, on_what=kind, jobs=done)
    return done


def _together(ids: list[UUID], act: Callable[[Session, UUID], None]) -> int:
    with writing() as session:
        # Jobs before their owner's count, as whoever ends one of them: otherwise the two could wait for each other.
        still = select(Job.id).where(Job.id.in_(ids), *restored.held()).order_by(Job.id).with_for_update()
        found = session.scalars(still).all()
        for job_id in found:
            act(session, job_id)
    return len(found)
