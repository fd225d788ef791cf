"""Mails a day: counted with the job that brings them, and refused where somebody asks for more than are left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept
from webapi.errors import QuotaReached
from webapi.models import User
from webapi.models.transaction import writing
from webapi.queue import kind_named, quotas
from webapi.queue.batch import submit_batch

pytestmark = pytest.mark.usefixtures("owner")
QUOTA = 1000
THREE = Errands(acts=["one", "two", "three"])
ONE = Errands(acts=["one"])


@pytest.fixture(autouse=True)
def _five_a_day(ground: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ground.config, "MAILS_PER_DAY", 5)


def test_mails_are_counted_and_one_too_many_is_refused() -> None:
    accept("errand.hold", THREE, quota=QUOTA)
    with pytest.raises(QuotaReached, match="You may send 5 mails a day; this would be more"):
        accept("errand.hold", THREE, quota=QUOTA)
    assert quotas.mails_today(OWNER) == 3, "what was refused counts for nothing"
    accept("errand.hold", Errands(acts=["one", "two"]), quota=QUOTA)
    assert quotas.mails_today(OWNER) == 5


def test_a_batch_counts_as_a_whole() -> None:
    kind = kind_named("errand.hold")
    with pytest.raises(QuotaReached, match="5 mails a day"):
        submit_batch(kind, {0: THREE, 1: THREE}, owner_id=OWNER, quota=QUOTA)
    submit_batch(kind, {0: THREE, 1: ONE}, owner_id=OWNER, quota=QUOTA)
    assert quotas.mails_today(OWNER) == 4


def test_work_of_our_own_is_counted_and_never_refused() -> None:
    for _ in range(3):
        accept("errand.hold", THREE)
    assert quotas.mails_today(OWNER) == 9


def test_the_sandbox_sends_none() -> None:
    for _ in range(3):
        accept("errand.hold", THREE, quota=QUOTA, sandbox=True)
    assert quotas.mails_today(OWNER) == 0


def test_the_next_day_begins_at_none() -> None:
    accept("errand.hold", THREE, quota=QUOTA)
    with writing() as session:
        session.execute(update(User).values(mails_on=datetime.now(UTC).date() - timedelta(days=2)))
    assert quotas.mails_today(OWNER) == 0
    accept("errand.hold", THREE, quota=QUOTA)
    assert quotas.mails_today(OWNER) == 3


def test_of_many_at_once_exactly_as_many_as_are_left_are_accepted(ground: Flask) -> None:
    def ask(_: int) -> bool:
        with ground.app_context():
            try:
                accept("errand.hold", ONE, quota=QUOTA)
            except QuotaReached:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, range(12))) == 5
    assert quotas.mails_today(OWNER) == 5
