"""How many ended in a time, and why those failed that did."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from tests.services.system import crowd
from webapi.extensions import db
from webapi.models import State
from webapi.models.columns import now
from webapi.services.system import CAP, rates
from webapi.services.system.rates import Rate

pytestmark = pytest.mark.usefixtures("owner")


def clock() -> datetime:
    db.session.rollback()
    found: datetime = db.session.execute(select(now())).scalar_one()
    return found


def rate(state: State) -> Rate:
    (found,) = [each for each in rates.rates(clock()) if each.state is state]
    return found


def test_what_ended_is_counted_by_the_minute() -> None:
    crowd.fill(20, State.SUCCEEDED, ago=60)
    crowd.fill(40, State.SUCCEEDED, ago=1800)
    crowd.fill(7, State.SUCCEEDED, ago=4000)
    found = rate(State.SUCCEEDED)
    assert (found.count, found.short, found.long) == (60, 4.0, 1.0)
    assert rate(State.FAILED).count == 0


def test_each_way_to_end_is_counted_by_itself() -> None:
    crowd.fill(5, State.FAILED)
    crowd.fill(10, State.RETRYING)
    assert (rate(State.FAILED).short, rate(State.RETRYING).short) == (1.0, 2.0)
    assert rate(State.SUCCEEDED).short == 0


def test_when_more_ended_than_are_read_their_pace_counts() -> None:
    crowd.fill(CAP, State.SUCCEEDED, ago=100)
    crowd.fill(1000, State.SUCCEEDED, ago=1000)
    found = rate(State.SUCCEEDED)
    assert (found.count, found.capped) == (CAP, True)
    assert found.long == pytest.approx(CAP / 100 * 60, rel=0.2)
    assert found.short == pytest.approx(CAP / 100 * 60, rel=0.2)


def test_failures_are_grouped_by_their_cause() -> None:
    crowd.fill(4, State.FAILED, kind="http.call", code="refused")
    crowd.fill(2, State.FAILED, code="exception")
    crowd.fill(9, State.FAILED, code="exception", ago=4000)
    found = [(each.kind, each.code, each.count) for each in rates.causes(clock())]
    assert found == [("http.call", "refused", 4), ("test.note", "exception", 2)]
