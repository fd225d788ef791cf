"""Accepting in sets: as whole, as durable and as honest as one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.queue.acting import KINDS, Anything, Errands
from tests.queue.rows import OWNER, effects, job, states
from tests.servers import Broker
from webapi.errors import QuotaReached
from webapi.extensions import db
from webapi.models import Effect, IdempotencyKey, Job, JobEvent, User
from webapi.models.transaction import writing
from webapi.queue import Once
from webapi.queue.audit import audit
from webapi.queue.batch import RUNG, Accepted, again, submit_batch
from webapi.queue.idempotency import KeyReused
from webapi.queue.republish import republish_all

pytestmark = pytest.mark.usefixtures("owner")
HOLD, FILE = KINDS["errand.hold"], KINDS["announce.file"]
QUEUE = "{webapi}:default"
ONCE = Once("batch", "the same key", "the same request")


def errands(count: int) -> dict[int, Errands]:
    return {place: Errands(acts=[f"act {place}", "act"]) for place in range(count)}


def accept(count: int = 3, **options: Any) -> Accepted:
    return submit_batch(HOLD, errands(count), owner_id=OWNER, **{"tags": [], **options})


def rows() -> list[int | None]:
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(table)) for table in (Job, JobEvent, Effect)]


def faults() -> list[str]:
    return [each.sentence for each in audit(files=False) if each.offenders]


def test_each_job_has_its_payload_its_event_and_its_effects() -> None:
    found = accept(tags=["t"], priority=4, callback_url="https://hooks.example/")
    assert rows() == [3, 3, 6]
    for place, job_id in found.ids.items():
        row = job(job_id)
        assert row.payload == {"acts": [f"act {place}", "act"]}
        assert (row.state, row.queue, row.attempt_budget, row.tags, row.priority) == ("queued", "default", 5, ["t"], 4)
        assert (row.owner_id, row.callback_url, row.epoch, row.sandbox) == (OWNER, "https://hooks.example/", 0, False)
        assert states(job_id) == ["queued"]
        assert {key: each.state for key, each in effects(job_id).items()} == {
            f"act {place}": "pending",
            "act": "pending",
        }
    assert db.session.get_one(User, OWNER).open_jobs == 3
    assert faults() == []


@pytest.mark.parametrize("value", ["é\u2028\\\"'", 1e-320, 2**63 - 1, [{"a": None}], "\U0001f600", {"": [1.0, 1]}])
def test_a_payload_comes_back_to_the_letter(value: object) -> None:
    found = submit_batch(FILE, {0: Anything(value=value)}, owner_id=OWNER, tags=[])
    assert job(found.ids[0]).payload == {"value": value}


def test_ids_are_in_the_order_of_the_batch() -> None:
    ids = list(accept(50).ids.values())
    assert ids == sorted(ids)
    assert {each.version for each in ids} == {7}


def test_a_batch_for_later_is_scheduled_and_rings_nobody(broker: Broker) -> None:
    found = accept(delay=60.0)
    assert {job(each).state for each in found.ids.values()} == {"scheduled"}
    later = submit_batch(HOLD, errands(1), owner_id=OWNER, tags=[], run_at=datetime.now(UTC) + timedelta(hours=1))
    assert states(later.ids[0]) == ["scheduled"]
    assert broker.client().llen(QUEUE) == 0


def test_the_first_are_rung_for_at_once_and_the_relay_rings_for_the_others(broker: Broker) -> None:
    accept(RUNG + 30)
    assert broker.client().llen(QUEUE) == RUNG
    republish_all()
    assert broker.client().llen(QUEUE) == RUNG + 30


def test_over_the_quota_none_is_accepted_and_the_key_is_free(broker: Broker) -> None:
    accept(2)
    with pytest.raises(QuotaReached):
        accept(3, quota=4, once=ONCE)
    assert rows() == [2, 2, 4]
    assert db.session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0
    assert len(accept(2, quota=4, once=ONCE).ids) == 2


def test_the_same_key_is_the_same_batch() -> None:
    first = submit_batch(HOLD, {place: Errands() for place in (1, 4, 9)}, owner_id=OWNER, tags=[], once=ONCE)
    second = submit_batch(HOLD, {place: Errands() for place in (1, 4, 9)}, owner_id=OWNER, tags=[], once=ONCE)
    assert (second, again(OWNER, ONCE)) == (Accepted(first.ids, True), Accepted(first.ids, True))
    assert (again(OWNER, None), rows()) == (None, [3, 3, 6])
    with pytest.raises(KeyReused):
        again(OWNER, Once(ONCE.route, ONCE.key, "another request"))


def test_inside_a_transaction_it_commits_with_its_caller(broker: Broker) -> None:
    with pytest.raises(RuntimeError), writing():
        accept()
        raise RuntimeError
    assert (rows(), broker.client().llen(QUEUE)) == ([0, 0, 0], 0)


def test_ten_thousand_are_accepted(broker: Broker) -> None:
    found = submit_batch(FILE, {place: Anything(value=place) for place in range(10_000)}, owner_id=OWNER, tags=[])
    assert rows()[:2] == [10_000, 10_000]
    assert job(found.ids[9_999]).payload == {"value": 9_999}
