"""Why jobs failed: many failures, few causes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from webapi.extensions import db
from webapi.models import Job, State, User

LOOKED_AT = 1000  # newest failed jobs; to read all of a million would take seconds
# What differs between failures of one cause: addresses of all sorts, ids, numbers.
VARYING = re.compile(
    r"""
    \b[a-z][a-z0-9+.-]*://[^\s'"<>]*[^\s'"<>.,;:!?)]                  # URLs
    | [^\s<>@,;:()'"]+@[^\s<>@,;:()'"]*[^\s<>@,;:()'".!?]             # mail addresses
    | \b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b               # UUIDs
    | \[?\b(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}\b\]?                  # IPv6, and times of day
    | \b(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{10,}\b                       # ids, in hex or otherwise
    | \d+(?:[.,:]\d+)*                                                # numbers, IPv4, ports
    """,
    re.VERBOSE | re.IGNORECASE,
)


VARIES = re.compile(r"[\d@]|://")  # what a word has that may hold any of it


@dataclass(frozen=True)
class Cause:
    """Failed jobs that failed alike. `sentence`, `newest` and `at` are those of the newest of them."""

    kind: str
    code: str | None
    sentence: str
    jobs: int
    newest: UUID
    at: datetime


@dataclass(frozen=True)
class Failures:
    """The causes, those of most jobs first. With `more`, there are older failures than the `jobs` looked at."""

    causes: list[Cause]
    jobs: int
    more: bool


def alike(sentence: str) -> str:
    """The sentence without what differs from job to job, so that failures of one cause read the same."""
    return " ".join(VARYING.sub("…", word) if VARIES.search(word) else word for word in sentence.split())


def failures(owner: User, since: UUID, limit: int = LOOKED_AT) -> Failures:
    """The owner's failed jobs whose ids are not before `since`, by cause: the newest `limit` of them."""
    query = select(Job.id, Job.kind, Job.error_code, Job.error_public, Job.finished_at)
    query = query.where(Job.owner_id == owner.id, Job.state == State.FAILED, Job.id >= since)
    rows = db.session.execute(query.order_by(Job.id.desc()).limit(limit + 1)).all()
    hidden = {kind.name for kind in current_app.extensions["kinds"].values() if kind.hidden}
    seen = [
        Cause(row.kind, row.error_code, row.error_public or "It failed without a word.", 1, row.id, row.finished_at)
        for row in rows[:limit]
        if row.kind not in hidden
    ]
    return Failures(grouped(seen), len(seen), len(rows) > limit)


def grouped(failed: Iterable[Cause]) -> list[Cause]:
    """Failures, newest first, as causes: one for each kind, code and sentence."""
    found: dict[tuple[str, str | None, str], Cause] = {}
    for each in failed:
        key = (each.kind, each.code, alike(each.sentence))
        before = found.get(key)
        found[key] = replace(before, jobs=before.jobs + each.jobs) if before else each
    return sorted(found.values(), key=lambda cause: -cause.jobs)
