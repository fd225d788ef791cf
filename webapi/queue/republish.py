"""Hints that are probably lost are sent again (R2 of the protocol): one too many costs nothing, a lost one minutes."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import ColumnElement, and_, case, or_, true, update
from structlog import get_logger

from webapi import metrics
from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import gates
from webapi.queue.hints import Hint, Hints
from webapi.queue.job import Kind
from webapi.queue.ledger import first_of
from webapi.queue.ringing import ring
from webapi.queue.servers import Server

BATCH = 500  # jobs in one statement and hints in one round trip
SILENCE = 30.0  # seconds after which a hint is taken for lost; doubled at each repetition
LONGEST_SILENCE = 600.0
HURRY = 10.0  # seconds after which what only a newer version can run is rung for less often
LONGEST_HANDED_ON = 60.0

log = get_logger()


def rung_at(hints: Hints, servers: list[Server]) -> ColumnElement[bool]:
    """Of jobs: that their hints go to one of these servers."""
    if servers == hints.servers:
        return true()
    others = [Job.queue.not_in(hints.elsewhere)] if hints.servers[0] in servers else []
    return or_(Job.queue.in_([queue for server in servers for queue in server.queues]), *others)


def republish_all() -> None:
    while republish() == BATCH:
        continue


def republish() -> int:
    """R2: queued jobs whose hint is probably not in Redis get another. Returns how many."""
    hints: Hints = current_app.extensions["hints"]
    answering = hints.answering()
    if not answering:
        return 0  # do not mark as published what could not be
    within_reach = rung_at(hints, answering)
    kinds: list[Kind] = list(current_app.extensions["kinds"].values())
    foreign = beyond(kinds)
    silence = case(
        (foreign, _handed_on()),
        *((Job.publish_count == count, min(SILENCE * 2**count, LONGEST_SILENCE)) for count in range(5)),
        else_=LONGEST_SILENCE,
    )
    gated = [kind.name for kind in kinds if kind.gated]
    open_to_all = (Job.kind.not_in(gated), ~gates.is_paused())  # the gates ring for the others
    lost = or_(Job.published_at.is_(None), Job.published_at < after(-silence))
    with writing() as session:
        rows = session.execute(
            update(Job)
            .where(
                Job.state == State.QUEUED,
                lost,
                first_of(Job.state == State.QUEUED, *open_to_all, lost, within_reach, limit=BATCH),
            )
            .values(published_at=now(), publish_count=Job.publish_count + case((foreign, 0), else_=1))
            .returning(Job.kind, Job.queue, Job.id)
            .execution_options(synchronize_session=False)
        ).all()
    failpoint("R2a")
    ring([Hint(*row) for row in rows])
    if rows:
        metrics.REPUBLISHED.add(by=len(rows))
        log.info("hints published again", jobs=len(rows))
    return len(rows)


def beyond(kinds: list[Kind]) -> ColumnElement[bool]:
    """Jobs that this version of the program cannot run: of kinds that it lacks, or with newer payloads than it reads.

    Its worker drops their hints. Another's, of a newer version, may be there to take them, so they are rung for again.
    """
    known = case({kind.name: kind.version for kind in kinds}, value=Job.kind, else_=0)
    newer = and_(Job.payload_version > 1, Job.payload_version > known)
    return or_(newer, Job.kind.not_in([kind.name for kind in kinds]))


def _handed_on() -> ColumnElement[float]:
    """Seconds until a job that is left to others is rung for again: soon at first, and never in a hurry for long."""
    return case((Job.run_at > after(-HURRY), 2.0), (Job.run_at > after(-6 * HURRY), 10.0), else_=LONGEST_HANDED_ON)
