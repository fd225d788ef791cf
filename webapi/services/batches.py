"""Many jobs of one kind from one request: all of them, or those that can be had and a verdict on the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from webapi.errors import Fault, Invalid, WebapiError
from webapi.queue import Kind, Once
from webapi.queue.batch import again, submit_batch
from webapi.services import jobs
from webapi.services.holders import Asker
from webapi.services.remembering import remembering

MOST_FAULTS = 100  # that one answer names
EARLIER = "It was refused when this batch was first sent. Send it under a new key."


@dataclass(frozen=True)
class Verdicts:
    """What became of each item, by its place: the job, or what is wrong with it."""

    accepted: dict[int, UUID]
    refused: dict[int, WebapiError]
    replayed: bool = False


def submit(
    owner: Asker,
    kind: Kind,
    given: Mapping[int, BaseModel | WebapiError],
    *,
    partial: bool = False,
    once: Once | None = None,
    sandbox: bool = False,
    callback_url: str | None = None,
    **options: Any,
) -> Verdicts:
    """Accept a job for each payload in one transaction. `given` are payloads by their places, or why there is none.

    Without `partial` all are accepted or none is. `options` are those of `webapi.queue.batch.submit_batch`.
    Raises Invalid, with a pointer to each item, when nothing is accepted; Forbidden before the owner's address is
    confirmed; and what `submit_batch` raises.
    """
    jobs.check_may(owner, kind)
    once = jobs.apart(once) if once and sandbox else once
    before = again(owner.id, once)
    if before is not None:
        left = given.keys() - before.ids.keys()
        return Verdicts(before.ids, {place: Invalid(EARLIER) for place in sorted(left)}, replayed=True)
    with remembering():
        payloads, refused = _prepared(owner, kind, given)
    if not payloads or (refused and not partial):
        raise _nothing(refused)
    options |= {"sandbox": sandbox, "callback_url": jobs.callable_url(callback_url), "quota": jobs.quota()}
    accepted = submit_batch(kind, payloads, owner_id=owner.id, once=once, **options)
    return Verdicts(accepted.ids, refused, accepted.replayed)


def _prepared(
    owner: Asker, kind: Kind, given: Mapping[int, BaseModel | WebapiError]
) -> tuple[dict[int, BaseModel], dict[int, WebapiError]]:
    payloads: dict[int, BaseModel] = {}
    refused: dict[int, WebapiError] = {}
    for place, each in given.items():
        try:
            if isinstance(each, WebapiError):
                raise each
            payloads[place] = jobs.prepared(owner, kind, each)
        except WebapiError as error:
            refused[place] = error
    return payloads, refused


def _nothing(refused: Mapping[int, WebapiError]) -> Invalid:
    if not refused:
        return Invalid("There is nothing in this batch.")
    faults = [
        Fault(f"/{place}{fault.pointer}", fault.message)
        for place, error in refused.items()
        for fault in error.faults or (Fault("", error.message),)
    ]
    return Invalid(
        f"Nothing was accepted: {len(refused):,} of the items are not right.", faults=tuple(faults[:MOST_FAULTS])
    )
