"""How an attempt ends: its files, its verdict or its retry, in one fenced transaction (C and F of the protocol)."""

from __future__ import annotations

import errno
import random
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session
from structlog import get_logger

from webapi.errors import Transient, WebapiError
from webapi.failpoints import failpoint
from webapi.models import EffectState, Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import artifacts, attempt_logs
from webapi.queue.attempt import Attempt, Replaced, Snooze
from webapi.queue.followup import announce_end, announce_failure, announce_success
from webapi.queue.ledger import Moved, move
from webapi.queue.receipts import settle_inflight, tally
from webapi.queue.together import Ended, is_plain, succeed

log = get_logger()

NO_SPACE = {errno.ENOSPC, errno.EDQUOT}  # a full disk passes, when somebody makes room or on another machine
OVER: dict[str, Any] = {"lease_owner": None, "lease_until": None}


def succeeded(attempt: Attempt, result: Any) -> State:
    """The function returned. Its effects have the last word. Returns the final state; raises Replaced."""
    files = artifacts.keep(attempt)
    failpoint("A2")
    with writing() as session:
        if is_plain(attempt) and succeed(session, [Ended(attempt, result)]):
            failpoint("C2a")
            return State.SUCCEEDED
        verdict, code, sentence = _verdict(session, attempt)
        moved = _move(
            session,
            attempt,
            verdict,
            reason=sentence or "done",
            result=result,
            error_code=code,
            error_public=sentence,
            finished_at=now(),
            **_full(verdict),
        )
        artifacts.name(session, attempt, files)
        failpoint("C2a")
        if verdict is State.FAILED:
            announce_failure(session, moved, code or "", sentence or "")
        elif verdict is State.SUCCEEDED:
            announce_success(session, moved, attempt, result)
    return verdict


def failed(attempt: Attempt, error: BaseException) -> State:
    """The function raised. Returns `retrying` or the final state; raises Replaced."""
    code, sentence, passing = _describe(attempt, error)
    with writing() as session:
        if _asked_to_stop(session, attempt):
            return _cancel(session, attempt)
        if passing and attempt.number < attempt.budget:
            wait = _wait(attempt, error)
            in_time = or_(Job.deadline_at.is_(None), Job.deadline_at > after(wait))
            if move(
                session, State.RUNNING, State.RETRYING, *attempt.fence, in_time, actor="worker",
                reason=f"{sentence} Trying again in {wait:.0f} s.",
                run_at=after(wait), error_code=code, error_public=sentence, **OVER,
            ):  # fmt: skip
                attempt_logs.save(session, attempt)
                return State.RETRYING
        settle_inflight(session, attempt.job_id)
        done = tally(session, attempt.job_id)
        verdict = State.UNCERTAIN if done.unanswered else State.FAILED
        moved = _move(
            session, attempt, verdict, reason=sentence, error_code=code, error_public=sentence, finished_at=now(),
            result=error.result if isinstance(error, WebapiError) else None,
        )  # fmt: skip
        if verdict is State.FAILED:
            announce_failure(session, moved, code, sentence)
    return verdict


def snoozed(attempt: Attempt, later: Snooze) -> State:
    """The function found that it is too early. Returns `scheduled`, or what a cancel made of it; raises Replaced."""
    with writing() as session:
        if _asked_to_stop(session, attempt):
            return _cancel(session, attempt)
        _move(
            session, attempt, State.SCHEDULED, reason=later.reason, run_at=after(later.seconds),
            attempt_budget=Job.attempt_budget + 1,
        )  # fmt: skip
    return State.SCHEDULED


def cancelled(attempt: Attempt) -> State:
    """The function stopped because somebody asked for it. Returns the final state; raises Replaced."""
    with writing() as session:
        return _cancel(session, attempt)


def _asked_to_stop(session: Session, attempt: Attempt) -> bool:
    """From here on nobody else changes the job. What refers to it may come: a heartbeat that writes the log waits
    otherwise for the job, holding the row that is written here."""
    asked = select(Job.cancel_requested_at).where(*attempt.fence)
    return session.scalar(asked.with_for_update(key_share=True)) is not None


def _cancel(session: Session, attempt: Attempt) -> State:
    """`cancelled`, unless an act may have happened that nobody knows of."""
    settle_inflight(session, attempt.job_id)
    done = tally(session, attempt.job_id)
    verdict = State.UNCERTAIN if done.unanswered else State.CANCELLED
    sentence = f"Cancelled while it ran; {done.by_state.get(EffectState.DONE, 0)} of {done.total} effects were done."
    sentence = sentence if done.total else "Cancelled while it ran."
    _move(session, attempt, verdict, reason=sentence, error_code="cancelled", error_public=sentence, finished_at=now())
    return verdict


def _move(session: Session, attempt: Attempt, to_state: State, *, reason: str, **values: Any) -> Moved:
    moved = move(session, State.RUNNING, to_state, *attempt.fence, actor="worker", reason=reason, **OVER, **values)
    if not moved:
        raise Replaced
    attempt_logs.save(session, attempt)
    announce_end(session, moved, to_state)
    return moved[0]


def _verdict(session: Session, attempt: Attempt) -> tuple[State, str | None, str | None]:
    """All done is success; anything unanswered is uncertain; the rest has failed."""
    settle_inflight(session, attempt.job_id)
    done = tally(session, attempt.job_id)
    if done.all_done:
        return State.SUCCEEDED, None, None
    if done.unanswered:
        return State.UNCERTAIN, "uncertain", f"{done.unanswered} of {done.total} ended without an answer."
    refused = done.by_state.get(EffectState.REFUSED, 0)
    if refused:
        return State.FAILED, "refused", f"{refused} of {done.total} were refused."
    held = done.by_state.get(EffectState.HELD, 0)
    if held:
        return State.FAILED, "held", f"{held} of {done.total} are held; release them to send them all the same."
    return (
        State.FAILED,
        "undone",
        f"{done.total - done.by_state.get(EffectState.DONE, 0)} of {done.total} were not done.",
    )


def _full(verdict: State) -> dict[str, Any]:
    return {"progress": 100, "progress_note": None} if verdict is State.SUCCEEDED else {}


def _describe(attempt: Attempt, error: BaseException) -> tuple[str, str, bool]:
    """A code, a sentence that may be shown, and whether another attempt could go better."""
    passing = isinstance(error, (Transient, OperationalError, InterfaceError, *attempt.kind.retry.on))
    passing |= isinstance(error, OSError) and error.errno in NO_SPACE
    if isinstance(error, WebapiError):
        log.info("attempt failed", code=error.code, passing=passing)
        return error.code, error.sentence, passing
    log.error("attempt failed", error=type(error).__name__, passing=passing, exc_info=error)
    name = type(error).__name__
    if isinstance(error, OperationalError | InterfaceError):
        return "database_away", "The database could not be reached.", passing
    if isinstance(error, OSError) and error.strerror:
        return "os_error", f"{error.strerror} ({name}).", passing
    return "exception", f"The job stopped with {name}; the worker's log has the details.", passing


def _wait(attempt: Attempt, error: BaseException) -> float:
    """Seconds: full backoff times a random half, but never less than the other side asked for."""
    retry = attempt.kind.retry
    backoff: float = min(retry.cap, retry.base * 2 ** min(attempt.number - 1, 30)) * random.uniform(0.5, 1)  # noqa: S311 # nosec B311 - spreads load, guards nothing
    return max(backoff, getattr(error, "retry_after", None) or 0.0)
