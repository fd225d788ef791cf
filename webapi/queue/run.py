"""From a hint to a finished attempt."""

from __future__ import annotations

import json
import time
from typing import Any

from billiard.common import terminate_handler_fired
from celery.exceptions import SoftTimeLimitExceeded
from flask import current_app
from pydantic import BaseModel, ValidationError
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from webapi import metrics, traces
from webapi.errors import Permanent
from webapi.failpoints import failpoint
from webapi.models import State
from webapi.queue import attempt_logs, finish, gates
from webapi.queue.attempt import Attempt, Cancelled, Replaced, Snooze
from webapi.queue.claim import claim
from webapi.queue.drain import hand_back
from webapi.queue.heartbeat import holding
from webapi.queue.job import Kind
from webapi.queue.seals import opened

log = get_logger()


def work(kind: Kind) -> None:
    """Claim the best due job of `kind`, do it, and write down how it ended."""
    attempt = claim(kind)
    if attempt is None:
        log.debug("hint found no due job", kind=kind.name)
        return
    facts = {"job": str(attempt.job_id), "kind": kind.name, "attempt": attempt.number, "request": attempt.request_id}
    attempt_logs.listen()
    span = traces.attempt(attempt.job_id, attempt.request_id, kind.name, attempt.number)
    try:
        with bound_contextvars(**facts), span, holding(attempt):
            _do(attempt)
    finally:
        attempt_logs.keep([attempt])
        current_app.extensions["files"].clear_staging(attempt.job_id, attempt.number)
    gates.ring_next(kind)


def _do(attempt: Attempt) -> None:
    log.info("job started")
    failpoint("W1b")
    try:
        verdict = _verdict(attempt)
    except Replaced:
        metrics.FENCED.add()
        log.warning("attempt replaced; what it did is not recorded")
    else:
        metrics.ATTEMPTS.add(attempt.kind.name, verdict.value)
        metrics.RUN_SECONDS.observe(time.monotonic() - attempt.began, attempt.kind.name)
        failpoint("C2b")
        log.info("job finished", state=str(verdict))


def _verdict(attempt: Attempt) -> State:
    """Do the work and write down how it ended, also when its end is what goes wrong. Raises Replaced."""
    try:
        result = _call(attempt)
        failpoint("W3")
        return finish.succeeded(attempt, result)
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


def _call(attempt: Attempt) -> Any:
    attempt.payload = attempt.kind.upgraded(attempt.payload, attempt.payload_version)
    attempt.payload_version = attempt.kind.version
    try:
        payload = opened(attempt.kind, attempt.payload, attempt.owner_id)
    except ValidationError as error:
        raise Permanent("This version of the program no longer takes this job's payload.") from error
    result = attempt.kind.function(payload)
    return _storable(result.model_dump(mode="json") if isinstance(result, BaseModel) else result)


def _storable(result: Any) -> Any:
    """The result, if every database takes it: JSON without NaN and NUL. Raises Permanent."""
    try:
        text = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Permanent(f"The job's result is no JSON: {error}.") from error
    if "\\u0000" in text:
        raise Permanent("The job's result holds a NUL character.")
    return result


def _named(error: BaseException, kind: Kind) -> BaseException:
    return _too_long(kind) if isinstance(error, SoftTimeLimitExceeded) else error


def _too_long(kind: Kind) -> Permanent:
    return Permanent(f"The job took longer than its limit of {kind.soft_time_limit:g} seconds.")
