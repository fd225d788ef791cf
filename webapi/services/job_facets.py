"""What somebody's newest jobs are like: their kinds and tags, and why some did not succeed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from webapi.extensions import db
from webapi.models import Job, State, User
from webapi.services import job_lists

LATELY = 500  # newest jobs whose kinds and tags are offered
FAILURES = 1000  # newest jobs whose errors are grouped
OFFERED = 12


@dataclass(frozen=True)
class Recent:
    """The kinds and tags of somebody's newest jobs, the most used first."""

    kinds: Sequence[str]
    tags: Sequence[str]


@dataclass(frozen=True)
class Cause:
    """One reason why jobs of one kind did not succeed: how many of the newest, and the newest of them."""

    state: State
    kind: str
    code: str
    count: int
    sentence: str
    newest: UUID


def recent(owner: User) -> Recent:
    """What the owner used lately."""
    newest = job_lists.visible(owner).with_only_columns(Job.kind, Job.tags)
    newest = newest.order_by(*job_lists.NEWEST_FIRST).limit(LATELY)
    kinds, tags = Counter[str](), Counter[str]()
    for kind, given in db.session.execute(newest):
        kinds[kind] += 1
        tags.update(given)
    return Recent([kind for kind, _ in kinds.most_common(OFFERED)], [tag for tag, _ in tags.most_common(OFFERED)])


def causes(owner: User) -> list[Cause]:
    """Why the newest uncertain and failed jobs did not succeed, the most frequent reason first."""
    grouped: dict[tuple[State, str, str], list[tuple[UUID, str]]] = {}
    columns = (Job.state, Job.kind, Job.error_code, Job.id, Job.error_public)
    for state in (State.UNCERTAIN, State.FAILED):
        newest = job_lists.visible(owner).with_only_columns(*columns).where(Job.state == state)
        rows = db.session.execute(newest.order_by(*job_lists.NEWEST_FIRST).limit(FAILURES))
        for _, kind, code, job_id, sentence in rows:
            grouped.setdefault((state, kind, code or "unknown"), []).append((job_id, sentence or ""))
    found = [Cause(*key, len(jobs), jobs[0][1], jobs[0][0]) for key, jobs in grouped.items()]
    return sorted(found, key=lambda cause: (cause.state is not State.UNCERTAIN, -cause.count))
