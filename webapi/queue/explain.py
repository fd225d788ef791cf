"""Why isn't it running? One sentence for each job that waits, with the figures that it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from webapi.extensions import db
from webapi.models import Job, State, Worker
from webapi.models.columns import after, now
from webapi.queue import gates, turns
from webapi.queue.job import Kind

GONE = 60.0  # seconds without a sign of life after which a worker counts as gone


@dataclass(frozen=True)
class Reason:
    """A code for programs, a sentence for people, and the evidence for both."""

    code: str
    sentence: str
    evidence: dict[str, Any] = field(default_factory=dict)


def why(job: Job) -> Reason:
    """Why `job` is not running just now, by the first of our checks that finds something."""
    clock: datetime = db.session.execute(select(now())).scalar_one()
    state = State(job.state)
    if state.final:
        return Reason("over", f"It is over: {state}.", {"finished_at": job.finished_at})
    if state is State.RUNNING:
        return _running(job, clock)
    if state is not State.QUEUED:
        return _not_due(job, state, clock)
    return _queued(job, clock)


def _running(job: Job, clock: datetime) -> Reason:
    assert job.lease_until is not None
    evidence = {"attempt": job.attempt, "lease_owner": job.lease_owner, "lease_until": job.lease_until}
    if job.lease_until < clock:
        late = (clock - job.lease_until).total_seconds()
        sentence = (
            f"Its worker gave no sign of life and its lease ended {late:.0f} s ago; a relay gives the attempt up."
        )
        return Reason("lease_expired", sentence, evidence)
    if job.cancel_requested_at is not None:
        return Reason("stopping", "It runs, and was asked to stop before its next effect.", evidence)
    return Reason("running", f"It is running: attempt {job.attempt}, {job.progress} %.", evidence)


def _not_due(job: Job, state: State, clock: datetime) -> Reason:
    left = (job.run_at - clock).total_seconds()
    evidence = {"run_at": job.run_at, "attempt": job.attempt}
    if left <= 0:
        sentence = f"It was due {-left:.0f} s ago and no relay has queued it. Is a worker or `flask relay` running?"
        return Reason("no_relay", sentence, evidence | _workers(job))
    if state is State.RETRYING:
        sentence = (
            f"Attempt {job.attempt} failed ({job.error_public or 'the worker died'}); the next begins in {left:.0f} s."
        )
        return Reason("retrying", sentence, evidence)
    return Reason("not_due", f"It is to begin in {left:.0f} s.", evidence)


def _queued(job: Job, clock: datetime) -> Reason:
    evidence = {**_workers(job), "waiting_seconds": round((clock - job.run_at).total_seconds(), 1)}
    nobody = _nobody(job, evidence)
    if nobody is not None:
        return nobody
    if not current_app.extensions["hints"].at(job.queue).answers():
        sentence = "Redis is away, so no worker hears of it. It runs within seconds of Redis being back."
        return Reason("redis_away", sentence, evidence)
    held = _held(job, clock)
    if held is not None:
        return held
    mine, others = turns.ahead(db.session(), job)
    ahead = mine + others
    evidence |= {"ahead": ahead, "ahead_yours": mine, "ahead_is_least": max(mine, others) >= turns.COUNTED}
    place = f"after {'more than' if evidence['ahead_is_least'] else 'about'} {ahead} other jobs, {mine} of them yours"
    if evidence["busy"] >= evidence["slots"]:
        sentence = f"All {evidence['slots']} slots on the queue {job.queue!r} are busy"
        return Reason("busy", f"{sentence}; it comes {place}." if ahead else f"{sentence}; it is the next.", evidence)
    if ahead:
        return Reason("behind", f"It comes {place}.", evidence)
    if job.published_at is None:
        return Reason(
            "hint_unsent", "Its hint did not reach Redis; the relay sends it again within a second.", evidence
        )
    return Reason("hint_sent", "Its hint is on the way; a lost one is sent again after 30 s.", evidence)


def _nobody(job: Job, evidence: dict[str, Any]) -> Reason | None:
    """Why no living worker could take it, if none could."""
    if job.kind not in current_app.extensions["kinds"]:
        return Reason("no_kind", f"This version of the program has no kind called {job.kind}.", evidence)
    if not evidence["workers_on_queue"]:
        sentence = f"No living worker takes the queue {job.queue!r}. Start one: make worker QUEUES={job.queue}"
        return Reason("no_worker", sentence, evidence)
    if not evidence["workers_able"]:
        what = f"version {job.payload_version} of {job.kind}'s payload" if job.payload_version > 1 else job.kind
        sentence = f"No living worker on the queue {job.queue!r} knows {what}. Start them again with the newer program."
        return Reason("no_version", sentence, evidence | {"payload_version": job.payload_version})
    return None


def _held(job: Job, clock: datetime) -> Reason | None:
    """What holds the whole kind back, if something does."""
    kind: Kind = current_app.extensions["kinds"][job.kind]
    gate = gates.opening(kind)
    if gate.paused_at is not None:
        since = (clock - gate.paused_at).total_seconds()
        sentence = f"{kind.name} was paused {since:.0f} s ago. To go on: flask kinds resume {kind.name}"
        return Reason("paused", sentence, {"paused_at": gate.paused_at})
    if gate.wait > 0:
        sentence = f"Its kind begins at most {kind.rate}; the next may begin in {gate.wait:.1f} s."
        return Reason("held_by_rate", sentence, {"rate": kind.rate, "wait_seconds": round(gate.wait, 1)})
    if gate.room < 1:
        sentence = f"{gate.running} jobs of its kind are running, and no more than {kind.concurrency} may."
        return Reason("held_by_cap", sentence, {"running": gate.running, "concurrency": kind.concurrency})
    return None


def knows(worker: Worker, kind: str, version: int) -> bool:
    """Whether a worker's program has that kind and reads that version of its payload."""
    return version == 1 if worker.kinds is None else worker.kinds.get(kind, 0) >= version


def _workers(job: Job) -> dict[str, Any]:
    """The living workers on the job's queue, those that can run it, and of these the slots and how many are busy."""
    living = db.session.scalars(select(Worker).where(Worker.seen_at > after(-GONE))).all()
    there = [worker for worker in living if job.queue in worker.queues]
    mine = [worker for worker in there if knows(worker, job.kind, job.payload_version)]
    return {
        "workers_on_queue": len(there),
        "workers_able": len(mine),
        "slots": sum(worker.slots for worker in mine),
        "busy": sum(worker.busy for worker in mine),
    }
