"""Acts: an effect at the moment at which it happens. Marked before, settled after, alone or many in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import current_app
from sqlalchemy import Float, bindparam, exists, select, update
from sqlalchemy.orm import Session

from webapi import metrics
from webapi.failpoints import failpoint
from webapi.models import EffectState, Job, State
from webapi.models.columns import after, now
from webapi.models.lists import among
from webapi.models.transaction import writing
from webapi.queue import noting
from webapi.queue.attempt import Attempt, Cancelled, Replaced
from webapi.queue.control import refine
from webapi.queue.ledger import JOBS, RUNNING
from webapi.queue.noting import EFFECTS

ANSWER_LIMIT = 25.0  # seconds; the longest wait for the answer to an act, always less than half a lease
# Made once: they are sent for each mail or wave of mails.
MINE = (
    select(JOBS.c.id)
    .where(
        JOBS.c.id == bindparam("a_job"),
        JOBS.c.attempt == bindparam("a_number"),
        JOBS.c.state == RUNNING,
        JOBS.c.cancel_requested_at.is_(None),
        JOBS.c.lease_until > after(bindparam("a_while", type_=Float(53))),
    )
    .with_for_update()
)
MARK = (
    update(EFFECTS)
    .where(among(EFFECTS.c.id, "ids"), EFFECTS.c.state == EffectState.PENDING.value)
    .values(
        state=EffectState.INFLIGHT.value,
        marked_by=bindparam("a_marker"),
        try_no=EFFECTS.c.try_no + 1,
        marked_at=now(),
    )
    .returning(EFFECTS.c.id, EFFECTS.c.try_no)
)


def answer_limit() -> float:
    """Seconds within which an act must be answered, so that its lease outlives it."""
    return min(ANSWER_LIMIT, 0.4 * float(current_app.config["LEASE_SECONDS"]))


@dataclass
class Act:
    """One effect that this attempt is to perform. Without a ledger (`attempt` is None) nothing is recorded.

    `released` says that a person let it go although a rule of ours would hold it.
    """

    key: str
    id: UUID
    attempt: Attempt | None
    try_no: int = 0
    released: bool = False

    def mark(self) -> None:
        """E1: from here on the act may have happened. Raises Replaced or Cancelled when it must not."""
        mark([self])

    def settle(self, state: EffectState, *, code: int | None = None, reply: str = "", message_id: str = "") -> None:
        """E3: what came back. PENDING means that it certainly did not happen and may be tried again."""
        settle([Receipt(self, state, code, reply, message_id)])

    def refuse(self, *, code: int | None, reply: str) -> None:
        """The other side declined before the irrevocable moment; it never was marked."""
        decline([Receipt(self, EffectState.REFUSED, code, reply)])

    def defer(self, *, code: int | None, reply: str) -> None:
        """The other side asked to come back later, before the irrevocable moment."""
        decline([Receipt(self, EffectState.PENDING, code, reply)])

    def hold(self, reason: str) -> None:
        """A rule of ours holds it back until a person releases it."""
        decline([Receipt(self, EffectState.HELD, None, reason)])


@dataclass(frozen=True)
class Receipt:
    """What came of an act."""

    act: Act
    state: EffectState
    code: int | None = None
    reply: str = ""
    message_id: str = ""

    def row(self) -> dict[str, object]:
        """The parameters of an UPDATE."""
        return {
            "an_effect": self.act.id,
            "a_try": self.act.try_no,
            "an_attempt": self.act.attempt and self.act.attempt.number,
            "a_state": self.state.value,
            "unanswered": self.state is EffectState.UNKNOWN,
            "a_code": self.code,
            "a_reply": self.reply[:1000],
            "an_id": self.message_id,
        }


def mark(acts: Sequence[Act]) -> None:
    """E1 for acts of one attempt: all of them are marked, or none. Raises Replaced or Cancelled when they must not."""
    attempt = acts[0].attempt if acts else None
    if attempt is None:
        return
    attempt.still_mine()
    failpoint("E0")
    with writing() as session:
        connection = session.connection()
        fence = {"a_job": attempt.job_id, "a_number": attempt.number, "a_while": answer_limit()}
        if connection.execute(MINE, fence).first() is None:
            raise _why_not(session, attempt)
        given = {"ids": [act.id for act in acts], "a_marker": attempt.number}
        marked = connection.execute(MARK, given).all()
        if len(marked) != len(acts):
            raise Replaced
        tries = {row.id: row.try_no for row in marked}
        for act in acts:
            act.try_no = tries[act.id]
        failpoint("E1a")
    failpoint("E1b")


def settle(receipts: Sequence[Receipt]) -> None:
    """E3 for acts of one attempt, each fenced by its own mark.

    What others judged unknown meanwhile becomes done by a late receipt; less than that leaves it to a person.
    """
    attempt = receipts[0].act.attempt if receipts else None
    if attempt is None:
        return
    failpoint("E3a")
    judged = noting.settled([receipt.row() for receipt in receipts], attempt.job_id)
    _count(attempt, receipts)
    failpoint("E5")
    if judged:
        # Others gave the job its verdict meanwhile, and this is the evidence that was missing. In a transaction of
        # its own: whoever settles an effect by hand locks the job first and the effect after it.
        with writing() as session:
            refine(session, attempt.job_id, "worker")


def decline(receipts: Sequence[Receipt]) -> None:
    """What ended before the irrevocable moment: refused or put off by the other side, or held by a rule of ours."""
    attempt = receipts[0].act.attempt if receipts else None
    if attempt is None:
        return
    attempt.still_mine()
    running = exists().where(*attempt.fence, Job.state == State.RUNNING)
    with writing() as session:
        session.connection().execute(noting.DECLINE.where(running), [receipt.row() for receipt in receipts])
    _count(attempt, receipts)


def _count(attempt: Attempt, receipts: Sequence[Receipt]) -> None:
    """What is only played in the sandbox does not count."""
    for receipt in () if attempt.sandbox else receipts:
        metrics.EFFECTS.add(attempt.kind.effect, receipt.state.value)


def _why_not(session: Session, attempt: Attempt) -> Replaced | Cancelled:
    """Why an effect must not begin: the job is somebody else's, or it is to stop."""
    asked = session.scalar(select(Job.cancel_requested_at).where(*attempt.fence, Job.state == State.RUNNING))
    if asked is not None:
        attempt.cancelled.set()
        return Cancelled()
    attempt.lost.set()
    return Replaced()
