"""A set takes what would have been taken one by one, and leaves the same turns behind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from tests.queue.acting import Step
from tests.queue.rows import OWNER, accept, add_owner, change, job
from tests.services.system.crowd import statements
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.claim import claim_set
from webapi.queue.taking import take

pytestmark = pytest.mark.usefixtures("owner")
KIND = "quick.step"
PEOPLE = [UUID(int=OWNER.int + number) for number in range(4)]


class TakenBack(Exception):
    """Nothing of it is to stay."""


@dataclass
class Outcome:
    """Which jobs went, on whose turns, and who has which turn after that."""

    gone: list[tuple[UUID, UUID, int]]
    left: dict[UUID, tuple[UUID, int]]


def outcome(steps: list[int]) -> Outcome:
    """What comes of taking so many, and then so many; undone afterwards."""
    found = Outcome([], {})
    try:
        with writing() as session:
            for most in steps:
                found.gone += _go(session, take(session, KIND, 1, most).ids)
            rows = session.execute(select(Job.id, Job.owner_id, Job.turn).where(Job.state == State.QUEUED))
            found.left = {row.id: (row.owner_id, row.turn) for row in rows}
            raise TakenBack
    except TakenBack:
        return found


def _go(session: Session, ids: list[UUID]) -> list[tuple[UUID, UUID, int]]:
    rows = session.execute(select(Job.id, Job.owner_id, Job.turn).where(Job.id.in_(ids))).all()
    gone = {row.id: (row.id, row.owner_id, row.turn) for row in rows}
    begun = {"state": State.RUNNING, "lease_until": after(60)}
    session.execute(update(Job).where(Job.id.in_(ids)).values(begun).execution_options(synchronize_session=False))
    return [gone[each] for each in ids]


def fill(jobs: list[tuple[int, int, int, bool]], *, ties: bool) -> None:
    """Jobs by their owner's number, priority, turn, and whether one crashed before."""
    same = {"kind": KIND, "payload": {"name": "x"}, "queue": "default", "attempt_budget": 5}
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(), "owner_id": PEOPLE[owner], "priority": priority, "crash_count": int(crashed),
            "turn": turn if ties else turn * len(jobs) + place, **same,
        }
        for place, (owner, priority, turn, crashed) in enumerate(jobs)
    ]  # fmt: skip
    with writing() as session:
        for table in reversed(db.metadata.sorted_tables):
            session.execute(table.delete())
    for number, owner_id in enumerate(PEOPLE):
        add_owner(owner_id, f"owner{number}@example.com")
    with writing() as session:
        session.execute(insert(Job).values(state=State.QUEUED, run_at=now(), published_at=now()), rows)


JOBS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 6), st.sampled_from([False] * 9 + [True])),
    min_size=1,
    max_size=16,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(jobs=JOBS, most=st.integers(2, 12), ties=st.booleans())
def test_a_set_is_what_would_have_gone_one_by_one(
    ground: Flask, jobs: list[tuple[int, int, int, bool]], most: int, ties: bool
) -> None:
    fill(jobs, ties=ties)
    together = outcome([most])
    count = len(together.gone)
    single = outcome([1] * count)
    if not ties:
        assert together.gone == single.gone
        assert {row for row in together.left.values()} == {row for row in single.left.values()}
        assert Counter(together.left.values()) == Counter(single.left.values())
    # Among equal turns of several owners either may go first. No turn is lost, doubled, or taken before its time.
    assert [turn for *_, turn in together.gone] == [turn for *_, turn in single.gone]
    assert Counter(turn for _, turn in together.left.values()) == Counter(turn for _, turn in single.left.values())
    for person in PEOPLE:
        theirs = [[job_id for job_id, owner, _ in each.gone if owner == person] for each in (together, single)]
        assert theirs[0][: len(theirs[1])] == theirs[1][: len(theirs[0])]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(jobs=JOBS, most=st.integers(2, 12))
def test_a_set_is_as_large_as_may_be_and_what_crashed_before_goes_alone(
    ground: Flask, jobs: list[tuple[int, int, int, bool]], most: int
) -> None:
    fill(jobs, ties=False)
    together, single = outcome([most]), outcome([1] * len(jobs))
    crashed = [bool(job(job_id).crash_count) for job_id, *_ in single.gone]
    until_the_first = crashed.index(True) if True in crashed else len(crashed)
    assert len(together.gone) == (1 if crashed[0] else min(most, until_the_first))


def test_a_last_attempt_is_made_alone() -> None:
    """A neighbour's crash would end it."""
    last, *others = (accept(KIND, Step(name=str(number))) for number in range(3))
    change(last, attempt=4)
    assert [each.job_id for each in claim_set(kind_named(KIND), 8)] == [last]
    assert [each.job_id for each in claim_set(kind_named(KIND), 8)] == others


def test_a_set_of_any_size_is_claimed_by_the_same_few_statements() -> None:
    texts = []
    for count in (2, 8):
        for _ in range(count):
            accept(KIND, Step(name="x"))
        asked = list[tuple[str, Any]]()
        with statements(asked):
            assert len(claim_set(kind_named(KIND), 8)) == count
        texts.append([text for text, _ in asked if not text.startswith("BEGIN")])
    assert texts[0] == texts[1]
    assert len(texts[0]) == (3 if db.engine.dialect.name == "postgresql" else 4)
