"""Moments mean the same on both databases, and there is one clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import literal, select
from sqlalchemy.exc import StatementError

from webapi.extensions import db
from webapi.models.columns import Moment, after, now

pytestmark = pytest.mark.usefixtures("context")


def test_the_clock_is_the_databases_in_utc() -> None:
    clock = db.session.execute(select(now())).scalar_one()
    assert clock.tzinfo is UTC
    assert abs(clock - datetime.now(UTC)) < timedelta(seconds=2)


@pytest.mark.parametrize("seconds", [0, 0.25, -90, 86400.5])
def test_a_number_of_seconds_is_added(seconds: float) -> None:
    first, second = db.session.execute(select(now(), after(seconds))).one()
    assert abs((second - first).total_seconds() - seconds) < 0.05


def test_a_moment_that_is_read_and_handed_back_is_equal() -> None:
    for _ in range(50):
        clock = db.session.execute(select(after(0))).scalar_one()
        same = select(literal(clock, Moment) == literal(clock, Moment))
        assert db.session.execute(select(literal(clock, Moment))).scalar_one() == clock
        assert db.session.execute(same).scalar_one()


def test_a_moment_without_a_time_zone_is_refused(app: Flask) -> None:
    with pytest.raises(StatementError, match="needs a time zone"):
        db.session.execute(select(literal(datetime(2026, 1, 1), Moment)))  # noqa: DTZ001
