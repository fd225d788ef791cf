"""The relay: makes due jobs queued, republishes lost hints, and sweeps. Any number may run at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis
from flask import Flask, current_app
from sqlalchemy import ColumnElement, and_, case, or_, select, true, update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi import metrics
from webapi.errors import WebapiError
from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import gates, turns
from webapi.queue.children import FORK_LOCK
from webapi.queue.hints import Hint, Hints
from webapi.queue.housekeeping import Housekeeper
from webapi.queue.job import Kind
from webapi.queue.ledger import first_of, move
from webapi.queue.schedules import fire_due
from webapi.queue.servers import Server
from webapi.queue.submit import ring
from webapi.queue.sweep import expire, sweep

PERIOD = 1.0  # seconds between two passes
BATCH = 500  # jobs in one statement and hints in one round trip
SILENCE = 30.0  # seconds after which a hint is taken for lost; doubled at each repetition
LONGEST_SILENCE = 600.0
HURRY = 10.0  # seconds after which what only a newer version can run is rung for less often
LONGEST_HANDED_ON = 60.0

log = get_logger()


class Relay:
    """One loop. Its passes are safe to run anywhere, any number of times."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._housekeeper = Housekeeper(app)
        self.stopped = threading.Event()

    def run(self) -> None:
        """Pass after pass until `stop`. What is away is waited for; a step that fails holds up no other."""
        while not self.stopped.wait(PERIOD):
            with FORK_LOCK, self._app.app_context():
                whole = self._pass()
            if whole:
                metrics.RELAY_PASSED.note(time.time())
            else:
                metrics.RELAY_FAILED.add()

    def _pass(self) -> bool:
        """Whether every step came to its end."""
        whole = True
        for step in self.steps():
            try:
                step()
            except (SQLAlchemyError, redis.RedisError, OSError, WebapiError) as error:
                log.warning("relay pass failed", step=step.__name__, error=type(error).__name__)
                return False
            except Exception:
                log.exception("relay step failed", step=step.__name__)
                whole = False
        return whole

    def stop(self) -> None:
        self.stopped.set()

    def run_once(self) -> None:
        """One pass."""
        with self._app.app_context():
            for step in self.steps():
                step()

    def steps(self) -> list[Callable[[], None]]:
        """What a pass does, in the order in which a job would need it."""
        return [
            expire,
            self._sweep,
            fire_due,
            wake_all_due,
            self._notice_empty_redis,
            republish_all,
            gates.ring_waiting,
            self._housekeeper.tidy,
        ]

    def _sweep(self) -> None:
        sweep(self._app)

    def _notice_empty_redis(self) -> None:
        """After FLUSHALL or an empty restart every hint is gone: all queued jobs are to be published again."""
        hints: Hints = self._app.extensions["hints"]
        for server in hints.emptied():
            try:
                with writing() as session:
                    count = session.execute(
                        update(Job)
                        .where(Job.state == State.QUEUED, _rung_at(hints, [server]))
                        .values(published_at=None)
                        .execution_options(synchronize_session=False)
                    ).rowcount  # type: ignore[attr-defined]
            except SQLAlchemyError:
                server.forget_epoch()
                raise
            log.info("redis has no memory of us; publishing again", jobs=count, server=server.setting)


def _rung_at(hints: Hints, servers: list[Server]) -> ColumnElement[bool]:
    """Of jobs: that their hints go to one of these servers."""
    if servers == hints.servers:
        return true()
    others = [Job.queue.not_in(hints.elsewhere)] if hints.servers[0] in servers else []
    return or_(Job.queue.in_([queue for server in servers for queue in server.queues]), *others)


def wake_all_due() -> None:
    while wake_due() >= BATCH:
        continue


def wake_due() -> int:
    """R1: scheduled and retrying jobs whose time has come are queued. Returns how many."""
    return sum(_wake(state) for state in (State.SCHEDULED, State.RETRYING))


def _wake(state: State) -> int:
    """Those in one state, at most `BATCH` of them.

    In a transaction of its own for each state: it locks the owners of its jobs, all of them at once and in one order.
    """
    with writing() as session:
        due = select(Job.id).where(Job.state == state, Job.run_at <= now()).order_by(Job.run_at)
        ids = session.scalars(due.limit(BATCH).with_for_update(skip_locked=True)).all()
        if not ids:
            return 0
        turns.line_up(session, ids)
        woken = move(
            session, state, State.QUEUED, Job.id.in_(ids), actor="relay", reason="due",
            published_at=now(), publish_count=0,
        )  # fmt: skip
    failpoint("R1a")
    ring([Hint(job.kind, job.queue, job.id) for job in woken])
    return len(woken)


def republish_all() -> None:
    while republish() == BATCH:
        continue


def republish() -> int:
    """R2: queued jobs whose hint is probably not in Redis get another. Returns how many."""
    hints: Hints = current_app.extensions["hints"]
    answering = hints.answering()
    if not answering:
        return 0  # do not mark as published what could not be
    within_reach = _rung_at(hints, answering)
    kinds: list[Kind] = list(current_app.extensions["kinds"].values())
    foreign = _beyond(kinds)
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


def _beyond(kinds: list[Kind]) -> ColumnElement[bool]:
    """Jobs that this version of the program cannot run: of kinds that it lacks, or with newer payloads than it reads.

    Its worker drops their hints. Another's, of a newer version, may be there to take them, so they are rung for again.
    """
    known = case({kind.name: kind.version for kind in kinds}, value=Job.kind, else_=0)
    newer = and_(Job.payload_version > 1, Job.payload_version > known)
    return or_(newer, Job.kind.not_in([kind.name for kind in kinds]))


def _handed_on() -> ColumnElement[float]:
    """Seconds until a job that is left to others is rung for again: soon at first, and never in a hurry for long."""
    return case((Job.run_at > after(-HURRY), 2.0), (Job.run_at > after(-6 * HURRY), 10.0), else_=LONGEST_HANDED_ON)
