"""What SQL knows to be due beside the hints that lie in Redis, and what the difference means.

The two need not be equal. SQL is right; a hint that is missing costs time, and one too many finds no job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flask import current_app
from sqlalchemy import Integer, String, text

from webapi.extensions import db
from webapi.queue.republish import SILENCE
from webapi.services.system import CAP
from webapi.services.system.backlog import Waiting
from webapi.services.system.crew import Member, living

Verdict = Literal["ok", "warn", "bad"]

_UNSENT = text(
    """
    SELECT queue, count(*) AS jobs FROM (
        SELECT queue FROM jobs WHERE state = 'queued' AND published_at IS NULL LIMIT :most) AS few
    GROUP BY queue
    """
).columns(queue=String, jobs=Integer)


@dataclass(frozen=True)
class Queue:
    """One queue. `hints` is None when Redis does not say; `unsent` are due jobs whose hint is known not to be there.

    `held` are due jobs of kinds that somebody paused or that nobody has; `gated` are those whose kinds have a rate or
    a cap. Both are in `due` too.
    """

    name: str
    workers: int
    slots: int
    busy: int
    due: int
    held: int
    gated: int
    unsent: int
    hints: int | None
    waited: float  # seconds for which the oldest job that nothing holds back has been due

    @property
    def open(self) -> int:
        """The due jobs that a worker could begin."""
        return self.due - self.held


def queues(found: Sequence[Waiting], crew: list[Member], clock: datetime) -> list[Queue]:
    """Every queue that a kind, a job or a worker names."""
    alive = living(crew)
    named = {*current_app.extensions["queues"], *(each.queue for each in found if each.due)}
    named |= {name for each in alive for name in each.row.queues}
    hints: dict[str, int] = current_app.extensions["hints"].depths(sorted(named))
    unsent = {row.queue: row.jobs for row in db.session.execute(_UNSENT, {"most": CAP + 1})}
    return [
        _queue(name, [each for each in found if each.queue == name], alive, unsent.get(name, 0), hints, clock)
        for name in sorted(named)
    ]


def _queue(
    name: str, found: list[Waiting], alive: list[Member], unsent: int, hints: dict[str, int], clock: datetime
) -> Queue:
    mine = [each.row for each in alive if name in each.row.queues]
    shut = [each for each in found if each.paused_at is not None or not each.known]
    gated = [each for each in found if each.held and each not in shut]
    free = [each.oldest for each in found if each.oldest is not None and each not in shut + gated]
    return Queue(
        name=name,
        workers=len(mine),
        slots=sum(row.slots for row in mine),
        busy=sum(row.busy for row in mine),
        due=sum(each.due for each in found),
        held=sum(each.due for each in shut),
        gated=sum(each.due for each in gated),
        unsent=unsent,
        hints=hints.get(name),
        waited=max(0.0, (clock - min(free)).total_seconds()) if free else 0.0,
    )


def explained(queue: Queue) -> tuple[Verdict, str, str]:
    """How a queue stands, a sentence about it, and the command that helps where one does."""
    if queue.open and not queue.workers:
        return "bad", "Jobs are due and no living worker takes this queue.", f"make worker QUEUES={queue.name}"
    if queue.hints is None:
        return _without_redis(queue)
    if queue.due == 0:
        return "ok", _nothing_due(queue), ""
    if queue.open == 0:
        return "ok", "All that is due is of kinds that are paused or that no program has; it is not rung for.", ""
    if queue.open == queue.gated:
        return "ok", "All that is due is of kinds with a rate or a cap, and begins as these allow.", ""
    if queue.hints == 0 and queue.busy < queue.slots and queue.waited > SILENCE:
        sentence = "No hint lies in Redis for jobs that are due, and slots are free: their hints were lost."
        return "warn", f"{sentence} The relay sends them again, after 30 s at first, then less often.", ""
    if queue.hints > queue.due:
        return "ok", "More hints than jobs: each hint too many finds no job and is dropped.", ""
    if queue.busy >= queue.slots:
        return "ok", "Every slot is busy; the rest waits its turn.", ""
    return "ok", "Workers take these as fast as they come.", ""


def _without_redis(queue: Queue) -> tuple[Verdict, str, str]:
    if not queue.open:
        return "warn", "Redis does not say how many hints there are. Nothing here waits for one.", ""
    sentence = "Redis is away, so no worker hears of what is due. SQL has it all: the relay rings when Redis is back."
    return "bad", sentence, "start it, or check REDIS_URL"


def _nothing_due(queue: Queue) -> str:
    if queue.hints:
        return "Nothing is due; the hints that are left find no job and are dropped."
    if not queue.workers:
        return "Nothing is due. No worker takes this queue yet."
    return "Nothing is due and no hint lies about: Redis and SQL agree."
