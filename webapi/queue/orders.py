"""Orders: jobs as they are to be, before the ledger has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from structlog.contextvars import get_contextvars

from webapi.queue.job import Kind
from webapi.queue.ledger import CALLBACK
from webapi.queue.quotas import Wanted
from webapi.queue.seals import sealed

# What an order says of its row; everything else follows or has a default.
SAID = (
    *("id", "owner_id", "kind", "payload", "payload_version", "queue", "attempt_budget", "request_id"),
    *("priority", "tags", "sandbox", "deadline_at", "callback_url", "parent_id", "schedule_id", "scheduled_for"),
)
DEFAULTS: dict[str, Any] = {"priority": 0, "tags": [], "sandbox": False}


@dataclass(frozen=True)
class Order:
    """A job as it is to be. It begins at once, at `run_at`, or `delay` seconds from now, which wins."""

    kind: Kind
    values: Mapping[str, Any]
    acts: Sequence[str]
    wanted: Wanted
    delay: float | None
    run_at: datetime | None

    @property
    def id(self) -> UUID:
        job_id: UUID = self.values["id"]
        return job_id

    @property
    def owner_id(self) -> UUID:
        owner_id: UUID = self.values["owner_id"]
        return owner_id


def ordered(
    kind: Kind,
    payload: BaseModel,
    *,
    delay: float | None = None,
    run_at: datetime | None = None,
    quota: int | None = None,
    **columns: Any,
) -> Order:
    """An order of the owner `owner_id`, under the id `id`; `columns` are others of `SAID`. Seals the payload."""
    if run_at is not None and run_at.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    if unknown := columns.keys() - set(SAID):
        raise TypeError(f"a job is not submitted with {', '.join(sorted(unknown))}")
    acts = acts_of(kind, payload)
    own = {
        "kind": kind.name,
        "payload": sealed(payload, columns["owner_id"]),
        "payload_version": kind.version,
        "queue": kind.queue,
        "attempt_budget": kind.retry.budget,
        "request_id": get_contextvars().get("request"),
    }
    counted = wanted(kind, 1, mails_of(kind, payload, acts), quota, columns)
    return Order(kind, {**DEFAULTS, **columns, **own}, acts, counted, delay or None, run_at)


def acts_of(kind: Kind, payload: BaseModel) -> list[str]:
    """The effects that a job of this payload is going to have."""
    return list(dict.fromkeys(kind.effects(payload))) if kind.effects else []


def mails_of(kind: Kind, payload: BaseModel, acts: Sequence[str]) -> int:
    """How many mails a job of this payload sends by itself and by what follows it."""
    return (len(acts) if kind.effect == "mail" else 0) + (kind.mails(payload) if kind.mails else 0)


def wanted(kind: Kind, jobs: int, mails: int, quota: int | None, columns: Mapping[str, Any]) -> Wanted:
    """What such jobs count for. Telling of a job's end is no job of the owner's.

    The sandbox sends no mail, and the mails of a job that belongs to another were counted with that one.
    """
    part = columns.get("parent_id") is not None
    free = part or columns.get("sandbox")
    return Wanted(0, 0, None) if part and kind.name == CALLBACK else Wanted(jobs, 0 if free else mails, quota)
