"""Which jobs a query finds, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept, change
from webapi.errors import Malformed
from webapi.extensions import db
from webapi.models import Schedule, State, User
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.services import job_lists
from webapi.services.job_lists import Wanted
from webapi.services.job_queries import read
from webapi.services.job_queries.fields import FIELDS
from webapi.services.job_queries.matching import first_id


def found(owner: User, text: str) -> list[UUID]:
    """The ids, the oldest first."""
    return [job.id for job in job_lists.page(owner, Wanted(terms=read(text))).jobs][::-1]


@pytest.fixture
def ledger(owner: User) -> list[UUID]:
    """A job that waits, one that failed, one that succeeded, one that runs."""
    waits = accept("errand.hold", Errands(), tags=["invoice", "ärger"])
    failed = accept("errand.hold", Errands(), tags=["a b"])
    done = accept("errand.resend", Errands())
    runs = accept("errand.hold", Errands())
    over = {"error_code": "smtp_refused", "error_public": "The server declined 50% of it.", "finished_at": now()}
    change(failed, state=State.FAILED, **over)
    change(done, state=State.SUCCEEDED, finished_at=after(-3 * 86400))
    change(runs, state=State.RUNNING, lease_until=after(60), progress_note="Row 12 of 90")
    return [waits, failed, done, runs]


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("", [0, 1, 2, 3]),
        ("state:failed", [1]),
        ("state:failed,running", [1, 3]),
        ("-state:failed,running", [0, 2]),
        ("kind:errand.resend", [2]),
        ("-kind:errand.hold", [2]),
        ("tag:invoice", [0]),
        ("tag:invoice tag:ärger", [0]),
        ("tag:invoice -tag:ärger", []),
        ('tag:invoice,"a b"', [0, 1]),
        ("-tag:invoice", [1, 2, 3]),
        ("tag:invoi", []),
        ("error:smtp_refused", [1]),
        ("-error:smtp_refused", [0, 2, 3]),
        ("older:1h", []),
        ("newer:1h", [0, 1, 2, 3]),
        ("-newer:1h", []),
        ("created:today", [0, 1, 2, 3]),
        ("created<2026-01-01", []),
        ("finished:today", [1]),
        ("finished<today", [2]),
        ("-finished:today", [0, 2, 3]),
        ("declined", [1]),
        ("DECLINED", [1]),
        ("50%", [1]),
        ("5_%", []),
        ("smtp_ref", [1]),
        ('"row 12"', [3]),
        ("invoi", [0]),
        ("rger", [0]),
        ("resend", [2]),
        ("-resend state:succeeded", []),
        ('-"row 12" -declined', [0, 2]),
        ('"\'; DROP TABLE jobs; --"', []),
    ],
)
def test_a_query_finds_what_it_says(owner: User, ledger: list[UUID], text: str, positions: list[int]) -> None:
    assert found(owner, text) == [ledger[position] for position in positions]


def test_jobs_are_found_by_their_age_and_time(owner: User) -> None:
    old, new = accept("errand.hold", Errands()), accept("errand.hold", Errands())
    change(old, created_at=after(-7200))
    assert (found(owner, "older:1h"), found(owner, "newer:1h")) == ([old], [new])
    assert (found(owner, "older:1h,3h"), found(owner, "newer:1h,3h")) == ([old], [old, new])


def test_jobs_are_found_by_an_id_that_they_share_a_beginning_with(owner: User) -> None:
    ids = [accept("errand.hold", Errands()) for _ in range(2)]
    assert found(owner, f"id:{ids[0].hex[:8]}") == ids
    assert found(owner, f"id:{ids[0]}") == [ids[0]]
    assert found(owner, str(ids[1])) == [ids[1]]
    assert found(owner, f"-id:{ids[1]}") == [ids[0]]


def test_jobs_are_found_by_their_schedule(owner: User) -> None:
    schedule, job_id = uuid7(), accept("errand.hold", Errands())
    accept("errand.hold", Errands())
    row = {"id": schedule, "owner_id": OWNER, "kind": "errand.hold", "payload": {}, "cron": "@daily", "timezone": "UTC"}
    with writing() as session:
        session.execute(insert(Schedule), [{**row, "next_at": datetime.now(UTC)}])
    change(job_id, schedule_id=schedule)
    assert found(owner, f"schedule:{schedule}") == [job_id]


def test_a_time_bounds_the_ids_that_are_read(owner: User) -> None:
    """By a day's margin: the clock that makes ids may be another than the database's."""
    job_id = accept("errand.hold", Errands())
    assert first_id(datetime.now(UTC)) > job_id
    wanted = Wanted(terms=read("newer:1h"))
    statement = job_lists.matching(owner, wanted, [State.QUEUED]).compile(db.engine)
    assert "jobs.id >" in str(statement)


PIECE = st.sampled_from(
    [*FIELDS, ":", ">", "<=", "-", ",", '"', " ", "failed", "1h", "today", "..", "*", "%", "\\", "é", "x"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.lists(PIECE, max_size=20).map("".join)))
def test_the_database_takes_every_query_that_can_be_read(owner: User, text: str) -> None:
    try:
        terms = read(text)
    except Malformed:
        return
    page = job_lists.page(owner, Wanted(terms=terms))
    db.session.rollback()
    assert page.next_cursor is None
