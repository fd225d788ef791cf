"""What people may do to a job from outside: cancel it, run it again, settle what nobody could know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapi.errors import Conflict, Invalid
from webapi.models import FINAL, Effect, EffectState, Job, State
from webapi.models.columns import now
from webapi.models.transaction import after_commit
from webapi.queue import turns
from webapi.queue.followup import announce_end
from webapi.queue.hints import Hint
from webapi.queue.job import Kind
from webapi.queue.ledger import Moved, move
from webapi.queue.receipts import tally
from webapi.queue.ringing import ring
from webapi.queue.waiting import end_waiting

Answer = Literal["resend", "delivered"]


def cancel(session: Session, job_id: UUID, actor: str) -> None:
    """End a waiting job now; ask a running one to stop before its next effect. Raises Conflict when it is over."""
    state = State(session.scalars(select(Job.state).where(Job.id == job_id).with_for_update()).one())
    if state in FINAL:
        raise Conflict(f"This job is {state}; there is nothing left to cancel.")
    if state is State.RUNNING:
        session.execute(
            update(Job)
            .where(Job.id == job_id)
            .values(cancel_requested_at=now())
            .execution_options(synchronize_session=False)
        )
    else:
        end_waiting(session, job_id, State.CANCELLED, actor, "Cancelled")


def replay(session: Session, job_id: UUID, actor: str) -> None:
    """Run a job that is over again, as a new epoch with a new budget. Raises Conflict when it is not over.

    What is done stays done: only effects that certainly did not happen are tried again. An unknown
    one needs an answer by `resolve` first, and stays unknown here.
    """
    _requeue(session, job_id, actor, "run again")
    session.execute(
        update(Effect)
        .where(Effect.job_id == job_id, Effect.state == EffectState.REFUSED)
        .values(state=EffectState.PENDING, settled_at=None)
        .execution_options(synchronize_session=False)
    )


def resolve(session: Session, job_id: UUID, answers: Mapping[UUID, Answer], actor: str) -> None:
    """Settle unknown effects by what a person found out: `delivered`, or `resend` to risk a second one.

    With a `resend` among them the job runs again; with none left unknown it gets its verdict. Raises
    Conflict unless the job is uncertain, Invalid for an effect that is not unknown.
    """
    if session.scalar(select(Job.state).where(Job.id == job_id).with_for_update()) != State.UNCERTAIN:
        raise Conflict("Only an uncertain job has effects to settle.")
    for effect_id, answer in answers.items():
        settled = {"state": EffectState.DONE, "settled_at": now(), "reply": "a person found it delivered"}
        again = {"state": EffectState.PENDING, "resends": Effect.resends + 1}
        changed = session.execute(
            update(Effect)
            .where(Effect.id == effect_id, Effect.job_id == job_id, Effect.state == EffectState.UNKNOWN)
            .values(settled if answer == "delivered" else again)
            .execution_options(synchronize_session=False)
        )
        if changed.rowcount == 0:  # type: ignore[attr-defined]
            raise Invalid(f"{effect_id} is no unknown effect of this job.")
    if "resend" in answers.values():
        _requeue(session, job_id, actor, "to be sent again, as a person decided")
    else:
        refine(session, job_id, actor)


def release(session: Session, job_id: UUID, effect_ids: Sequence[UUID], actor: str) -> None:
    """Let held effects go, whatever the rule says that held them: the job runs again for them.

    Raises Conflict while the job is not over, Invalid for an effect that is not held.
    """
    _requeue(session, job_id, actor, f"{len(effect_ids)} held released by a person")
    released = session.execute(
        update(Effect)
        .where(Effect.id.in_(effect_ids), Effect.job_id == job_id, Effect.state == EffectState.HELD)
        .values(state=EffectState.PENDING, released=True, settled_at=None)
        .execution_options(synchronize_session=False)
    )
    if released.rowcount != len(effect_ids):  # type: ignore[attr-defined]
        raise Invalid("Not all of these are held effects of this job.")


def refine(session: Session, job_id: UUID, actor: str) -> None:
    """Give an uncertain job its verdict when late evidence has settled all of its effects."""
    counted = tally(session, job_id)
    if counted.unanswered:
        return
    verdict = State.SUCCEEDED if counted.all_done else State.FAILED
    clear = {"error_code": None, "error_public": None} if verdict is State.SUCCEEDED else {}
    moved = move(
        session, State.UNCERTAIN, verdict, Job.id == job_id, actor=actor, reason="every effect has its receipt",
        refines=True, **clear,
    )  # fmt: skip
    announce_end(session, moved, verdict)


def _requeue(session: Session, job_id: UUID, actor: str, reason: str) -> None:
    kind_name = session.scalar(select(Job.kind).where(Job.id == job_id))
    kind: Kind | None = current_app.extensions["kinds"].get(kind_name)
    if kind is None:
        raise Conflict(f"There is no kind called {kind_name!r} any more.")
    for state in FINAL:
        moved = move(
            session, state, State.QUEUED, Job.id == job_id, actor=actor, reason=reason,
            epoch=Job.epoch + 1, attempt_budget=Job.attempt + kind.retry.budget, crash_count=0, run_at=now(),
            published_at=now(), publish_count=0, deadline_at=None, cancel_requested_at=None, finished_at=None,
            progress=0, progress_note=None, result=None, error_code=None, error_public=None,
            turn=turns.last_of(Job.kind, Job.owner_id),
        )  # fmt: skip
        if moved:
            after_commit(lambda job=moved[0]: ring([_hint(job)]))  # type: ignore[misc]
            return
    raise Conflict("This job is not over yet.")


def _hint(job: Moved) -> Hint:
    return Hint(job.kind, job.queue, job.id)
