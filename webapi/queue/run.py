"""From a hint to a finished attempt."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from billiard.common import terminate_handler_fired
from celery.exceptions import SoftTimeLimitExceeded
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from webapi import metrics, traces
from webapi.errors import Permanent
from webapi.extensions import db
from webapi.failpoints import failpoint
from webapi.models import State
from webapi.queue import attempt_logs, finish, gates
from webapi.queue.attempt import Attempt, Cancelled, Replaced, Snooze
from webapi.queue.calling import call
from webapi.queue.children import stops_soon
from webapi.queue.claim import claim_set
from webapi.queue.drain import hand_back
from webapi.queue.heartbeat import doing, keeping
from webapi.queue.hints import Hint
from webapi.queue.job import Kind
from webapi.queue.ringing import ring
from webapi.queue.sets import Keep, do_all, most
from webapi.queue.together import is_plain

SPELL = 0.5  # seconds that one hint may go on beginning jobs, before other kinds of its queue have their turn

log = get_logger()


def work_off(kind: Kind) -> None:
    """What a hint brings about: work, until nothing of `kind` is due, or for a `SPELL`. So one hint serves for many.

    After that the kinds whose hints wait have their turn, and a hint is left behind for whatever is still due.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    until = time.monotonic() + SPELL
    while True:
        with app.app_context():  # each has a session of its own
            found = work(kind, until)
        if not found:
            return
        if kind.gated or stops_soon(app):  # a gate lets one pass for each hint
            return
        if time.monotonic() >= until:
            ring([Hint(kind.name, kind.queue, found[-1])])
            return


def work(kind: Kind, until: float = math.inf) -> list[UUID]:
    """Claim the due jobs of `kind` whose turn it is, do them, and write down how they ended. Returns which they were.

    Of a set, those that cannot be begun by `until` on the monotonic clock are handed back.
    """
    attempts = claim_set(kind, most(kind, until))
    if not attempts:
        log.debug("hint found no due job", kind=kind.name)
        return []
    attempt_logs.listen()
    if len(attempts) > 1:
        do_all(attempts, until, _do, _end, _not_begun)
    else:
        with keeping(attempts):
            _do(attempts[0])
    gates.ring_next(kind)
    return [each.job_id for each in attempts]


def _do(attempt: Attempt, keep: Keep | None = None) -> None:
    """Do the work. How it ended is written down at once, or, when it ended well, left to `keep`."""
    facts = {"job": str(attempt.job_id), "kind": attempt.kind.name, "attempt": attempt.number}
    span = traces.attempt(attempt.job_id, attempt.request_id, attempt.kind.name, attempt.number)
    with bound_contextvars(**facts, request=attempt.request_id), span, doing(attempt):
        (log.debug if keep else log.info)("job started")
        attempt.began = time.monotonic()
        failpoint("W1b")
        _finish(attempt, lambda: _succeeded(attempt, keep))


def _end(attempt: Attempt, result: Any) -> None:
    """Of a job that was done in a set, and could not be finished with the others."""
    _finish(attempt, lambda: finish.succeeded(attempt, result))


def _not_begun(attempts: Sequence[Attempt]) -> None:
    """Of jobs of a set whose turn to be done did not come in time."""
    for attempt in attempts:
        if hand_back(attempt.job_id, attempt.number, reason="it was not begun in time", begun=False):
            log.info("job handed back", job=str(attempt.job_id), attempt=attempt.number)
    if attempts:
        ring([Hint(attempts[0].kind.name, attempts[0].kind.queue, attempts[0].job_id)])


def _finish(attempt: Attempt, act: Callable[[], State | None]) -> None:
    """Write down how `act` ended, unless another attempt owns the job, or somebody else writes it down."""
    verdict: State | None = State.SUCCEEDED
    try:
        verdict = _verdict(attempt, act)
    except Replaced:
        metrics.FENCED.add()
        log.warning("attempt replaced; what it did is not recorded")
    else:
        if verdict is not None:
            metrics.ATTEMPTS.add(attempt.kind.name, verdict.value)
            metrics.RUN_SECONDS.observe(time.monotonic() - attempt.began, attempt.kind.name)
            failpoint("C2b")
            log.info("job finished", state=str(verdict))
    finally:
        if verdict is not None:
            attempt_logs.keep([attempt])
            current_app.extensions["files"].clear_staging(attempt.job_id, attempt.number)


def _succeeded(attempt: Attempt, keep: Keep | None) -> State | None:
    attempt.still_mine()  # it may have waited for its neighbours
    try:
        result = call(attempt)
        if db.session().in_transaction():  # its own reads end with it, and what it leaves broken is its own failure
            db.session.commit()
    except BaseException:
        with suppress(SQLAlchemyError):
            db.session.rollback()
        raise
    failpoint("W3")
    if keep is None or not is_plain(attempt):
        return finish.succeeded(attempt, result)
    attempt.took = time.monotonic() - attempt.began
    keep(attempt, result)
    return None


def _verdict(attempt: Attempt, act: Callable[[], State | None]) -> State | None:
    """Do the work and write down how it ended, also when its end is what goes wrong. Raises Replaced."""
    try:
        return act()
    except Replaced:
        raise
    except Cancelled:
        return finish.cancelled(attempt)
    except Snooze as later:
        return finish.snoozed(attempt, later)
    except SystemExit as error:
        if not terminate_handler_fired():  # the kind's own
            return finish.failed(attempt, error)
        _leave(attempt)
        raise
    # Celery ends the whole worker on MemoryError and SystemExit; here each is one job's failure.
    except Exception as error:  # noqa: BLE001 - whatever a kind raises is the job's verdict
        return finish.failed(attempt, _named(error, attempt.kind))


def _leave(attempt: Attempt) -> None:
    """This process was told to end: by the pool, at the hard time limit, or by whoever stops the whole worker."""
    if time.monotonic() - attempt.began > 0.9 * attempt.kind.time_limit:
        log.warning("job ended at its hard time limit", state=str(finish.failed(attempt, _too_long(attempt.kind))))
    elif hand_back(attempt.job_id, attempt.number):
        log.warning("job handed back")


def _named(error: BaseException, kind: Kind) -> BaseException:
    return _too_long(kind) if isinstance(error, SoftTimeLimitExceeded) else error


def _too_long(kind: Kind) -> Permanent:
    return Permanent(f"The job took longer than its limit of {kind.soft_time_limit:g} seconds.")
