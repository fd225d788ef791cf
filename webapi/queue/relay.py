"""The relay: makes due jobs queued, republishes lost hints, and sweeps. Any number may run at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi import metrics
from webapi.errors import WebapiError
from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.columns import now, read_once
from webapi.models.job import LATER
from webapi.models.transaction import writing
from webapi.queue import gates, turns
from webapi.queue.children import FORK_LOCK
from webapi.queue.hints import Hint, Hints
from webapi.queue.housekeeping import Housekeeper
from webapi.queue.ledger import move
from webapi.queue.republish import BATCH, republish_all, rung_at
from webapi.queue.ringing import ring
from webapi.queue.schedules import fire_due
from webapi.queue.sweep import expire, sweep

PERIOD = 1.0  # seconds between two passes

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
                        .where(Job.state == State.QUEUED, rung_at(hints, [server]))
                        .values(published_at=None)
                        .execution_options(synchronize_session=False)
                    ).rowcount  # type: ignore[attr-defined]
            except SQLAlchemyError:
                server.forget_epoch()
                raise
            log.info("redis has no memory of us; publishing again", jobs=count, server=server.setting)


def wake_all_due() -> None:
    while wake_due() >= BATCH:
        continue


def wake_due() -> int:
    """R1: scheduled and retrying jobs whose time has come are queued, at most `BATCH` of them. Returns how many.

    In one transaction: it locks the owners of its jobs, all of them at once and in one order.
    """
    with writing() as session:
        due = select(Job.id, Job.state).where(LATER, Job.run_at <= read_once(now())).order_by(Job.run_at)
        found = session.execute(due.limit(BATCH).with_for_update(skip_locked=True)).all()
        if not found:
            return 0
        turns.line_up(session, [job_id for job_id, _ in found])
        woken = [
            job
            for state in sorted({State(each) for _, each in found})
            for job in move(
                session, state, State.QUEUED, Job.id.in_([job_id for job_id, each in found if each == state]),
                actor="relay", reason="due", published_at=now(), publish_count=0,
            )
        ]  # fmt: skip
    failpoint("R1a")
    ring([Hint(job.kind, job.queue, job.id) for job in woken])
    return len(woken)
