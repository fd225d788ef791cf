"""Jobs that are submitted at the same time commit together: a commit waits for the disk, however many rows it has.

Each of them is answered after its own commit, as if it had been alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from webapi import metrics
from webapi.errors import QuotaReached
from webapi.failpoints import failpoint
from webapi.models import Job
from webapi.models.transaction import after_commit, writing
from webapi.queue.combining import Combining
from webapi.queue.idempotency import Once, give_back, take_free
from webapi.queue.orders import Order
from webapi.queue.placing import place
from webapi.queue.quotas import count_all_in
from webapi.queue.ringing import hints_of, ring

# Somebody's batch may hold its owner for a second. The others do not wait for that: each goes on alone.
HURRY = text("SET LOCAL lock_timeout = '100ms'")


@dataclass
class Submission:
    """An order on its way, and what came of it: a job, or a doubt, because the connection broke at its commit.

    Without either it was left out, and is submitted alone, where it is told what is wrong with it.
    """

    order: Order
    once: Once | None
    job: Job | None = None
    doubt: bool = False


def gathering() -> Combining[Submission]:
    """For an app, and for a process that was forked from its: where submissions that come at once meet."""
    return Combining(commit, ring_for)


def ring_for(done: Sequence[Submission]) -> None:
    """Send the hints of those that were accepted."""
    ring(hints_of([each.job for each in done if each.job is not None]))


def commit(gathered: list[Submission]) -> None:
    """One transaction for all whose keys are new and whose owners have room; the others are left out."""
    try:
        with writing() as session:
            failpoint("S1b")
            if session.get_bind().dialect.name == "postgresql":
                session.execute(HURRY)
            after_commit(lambda: failpoint("S2c"))
            mine = _with_room(session, _with_new_keys(session, gathered))
            jobs = place(session, [each.order for each in mine]) if mine else []
            failpoint("S2a")
    except SQLAlchemyError as error:
        # Of a broken connection nobody knows; anything else may be the fault of one of them, who then hears of it.
        for each in gathered:
            each.doubt = isinstance(error, DBAPIError) and error.connection_invalidated
        return
    for each, job in zip(mine, jobs, strict=True):
        each.job = job
        metrics.ACCEPTED.add(job.kind)


def _with_new_keys(session: Session, gathered: Sequence[Submission]) -> list[Submission]:
    """Keys come before owners in each transaction that locks both, so that none waits for one that waits for it."""
    keyed = {each.order.id: (each.once, each.order.owner_id) for each in gathered if each.once}
    taken = take_free(session, keyed) if keyed else set()
    return [each for each in gathered if each.once is None or each.order.id in taken]


def _with_room(session: Session, gathered: Sequence[Submission]) -> list[Submission]:
    """The owners are locked in one order. Where one has not room for all, each of theirs is looked at by itself."""
    found: list[Submission] = []
    for (owner_id, _), group in groupby(sorted(gathered, key=_counted_with), _counted_with):
        theirs = list(group)
        try:
            count_all_in(session, owner_id, [each.order.wanted for each in theirs])
        except QuotaReached:
            give_back(session, [each.order.id for each in theirs if each.once])
        else:
            found += theirs
    return found


def _counted_with(each: Submission) -> tuple[UUID, int]:
    quota = each.order.wanted.quota
    return each.order.owner_id, -1 if quota is None else quota
