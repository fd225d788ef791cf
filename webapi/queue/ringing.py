"""Hints for jobs that are durable, and what becomes of those hints that Redis does not take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from flask import current_app
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi import traces
from webapi.failpoints import failpoint
from webapi.models import Job, State
from webapi.models.transaction import writing
from webapi.queue.hints import Hint, Hints
from webapi.queue.job import Kind
from webapi.queue.ledger import STILL_QUEUED

log = get_logger()


def hints_of(jobs: Iterable[Job]) -> list[Hint]:
    """Hints for those that are queued: one for each job, or for each set of a kind that is worked in sets.

    A worker that is rung for works off whatever is due, so one hint more would only find nothing.
    """
    kinds: Mapping[str, Kind] = current_app.extensions["kinds"]
    found: dict[str, list[Hint]] = defaultdict(list)
    for job in jobs:
        if job.state == State.QUEUED:
            found[job.kind].append(Hint(job.kind, job.queue, job.id))
    return [hint for name, hints in found.items() for hint in hints[:: kinds[name].batch]]


def ring(hints: Sequence[Hint]) -> None:
    """Send hints. Those that Redis did not confirm are left to the relay, which is told at once.

    Never raises: the jobs are accepted already, and a relay that was not told finds out by itself.
    """
    if not hints:
        return
    failpoint("S3a")
    sender: Hints = current_app.extensions["hints"]
    with traces.step("hints", hints=len(hints)):
        unsent = sender.ring(hints)
    if not unsent:
        failpoint("S3c")
        return
    try:
        with writing() as session:
            session.execute(
                update(Job)
                .where(Job.id.in_([hint.job_id for hint in unsent]), STILL_QUEUED)
                .values(published_at=None)
                .execution_options(synchronize_session=False)
            )
    except SQLAlchemyError as error:
        log.warning("hints not marked as unsent", count=len(unsent), error=type(error).__name__)
