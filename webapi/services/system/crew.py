"""The workers: who they are, when they last said something, what they do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from webapi.extensions import db
from webapi.models import Worker
from webapi.queue.explain import GONE
from webapi.services.system.backlog import Running
from webapi.version import VERSION

SILENT = 15.0  # seconds; the relay of a worker says hello each 5 s, in the pass in which it does its work
SHOWN = 50  # on a page; what is judged is judged by all
MOST = 5_000


@dataclass(frozen=True)
class Member:
    """One worker. `life` is `lives`, `silent` (its relay is late) or `gone`; `quiet` is how long, in seconds."""

    name: str
    life: Literal["lives", "silent", "gone"]
    quiet: float
    row: Worker
    attempts: list[Running]

    @property
    def outdated(self) -> bool:
        """Whether it runs another version than whoever asks."""
        return bool(self.row.version != VERSION)


def members(clock: datetime, attempts: list[Running]) -> list[Member]:
    """The workers, those first that said something last, at most `MOST`. The dead are forgotten a day later."""
    held: dict[str, list[Running]] = defaultdict(list)
    for each in attempts:
        held[each.lease_owner.partition(":")[0]].append(each)
    rows = db.session.scalars(select(Worker).order_by(Worker.seen_at.desc()).limit(MOST))
    return [_member(row, clock, held[str(row.id)]) for row in rows]


def _member(row: Worker, clock: datetime, attempts: list[Running]) -> Member:
    quiet = max(0.0, (clock - row.seen_at).total_seconds())
    life: Literal["lives", "silent", "gone"] = "gone" if quiet > GONE else "silent" if quiet > SILENT else "lives"
    return Member(f"{row.host}:{row.pid}", life, quiet, row, attempts)


def living(found: list[Member]) -> list[Member]:
    """Those that count on: a silent one may only be slow."""
    return [each for each in found if each.life != "gone"]


def orphans(found: list[Member], attempts: list[Running]) -> list[Running]:
    """Attempts that no living worker holds. A relay gives them up when their leases end."""
    alive = {str(each.row.id) for each in living(found)}
    return [each for each in attempts if each.lease_owner.partition(":")[0] not in alive]
