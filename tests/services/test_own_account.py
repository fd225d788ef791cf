"""What people do to their own accounts, and what goes when one goes."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.locks import in_the_way
from tests.queue.acting import Anything
from tests.queue.rows import OWNER, accept, add_owner, change
from webapi.errors import Conflict, Invalid
from webapi.extensions import db
from webapi.models import ApiKey, Job, Schedule, State, TrailEntry, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.ledger import add_open
from webapi.services import accounts, holders, keys, own_account, passwords, schedules, sessions, storage, trail
from webapi.services.mail import senders, suppressions, templates
from webapi.services.mail.templates import Wording
from webapi.services.plans import Plan
from webapi.services.reports import library
from webapi.services.reports.definition import Definition
from webapi.tasks.email_bulk import Bulk
from webapi.tasks.report_build import ReportRequest

OLD, NEW = "correct horse battery", "another long one"
hashed = cache(passwords.hashed)


@pytest.fixture
def ada(owner: User) -> User:
    with writing():
        owner.password_hash = hashed(OLD)
    return owner


def kinds() -> list[str]:
    return list(db.session.scalars(select(Job.kind).order_by(Job.id)))


def test_a_new_password_ends_every_session_and_a_notice_is_mailed(ada: User) -> None:
    cookies = [sessions.begin(ada, "") for _ in range(2)]
    own_account.change_password(ada, OLD, NEW)
    assert [sessions.find(cookie) for cookie in cookies] == [None, None]
    assert accounts.authenticate("ada@example.com", NEW) is not None
    assert accounts.authenticate("ada@example.com", OLD) is None
    assert kinds() == ["email.password_changed"]


def test_without_the_password_nothing_changes_and_the_try_is_counted(ada: User) -> None:
    cookie = sessions.begin(ada, "")
    for _ in range(2):
        with pytest.raises(Invalid):
            own_account.change_password(ada, "wrong", NEW)
    assert sessions.find(cookie) is not None
    assert [(line.what, line.count) for line in trail.of(ada)] == [("sign_in.failed", 2)]


def fill(ada: User) -> None:
    """One of everything."""
    templates.create(ada, "invoice", Wording(subject="Hello", text="{{name}}"))
    senders.add(ada, "shop@example.com")
    suppressions.add(ada.id, "nobody@example.com", "manual")
    upload = storage.receive(ada.id, "people.csv", "text/csv", BytesIO(b"email,name\nbob@example.com,Bob\n"))
    schedules.create(ada, kind_named("report.build"), ReportRequest(), Plan(name="x", cron="@daily"))
    library.create(ada, "mine", Definition(title="Mine", sql="SELECT 1"))
    keys.create(ada, "x")
    sessions.begin(ada, "")
    accept("email.bulk", Bulk(template="invoice", recipients=upload.id), owner_id=ada.id)


def test_everything_goes_with_the_account_but_the_trail(ada: User) -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    accept("return.odd", Anything(), owner_id=eve.id)
    fill(ada)
    assert {"schedules": 1, "senders": 1, "API keys": 1}.items() <= own_account.what_goes(ada).items()
    own_account.delete_account(ada)
    assert db.session.scalars(select(User.email)).all() == ["eve@example.com"]
    assert kinds() == ["return.odd"]
    owned = [table for table in db.metadata.sorted_tables if {"owner_id", "user_id"} & set(table.columns.keys())]
    columns = [table.columns.get("owner_id", table.columns.get("user_id")) for table in owned]
    left = {
        column.table.name
        for column in columns
        if column is not None and db.session.scalar(select(func.count()).where(column == OWNER))
    }
    assert left == {TrailEntry.__tablename__}


def test_a_key_of_a_deleted_account_is_dead(ada: User) -> None:
    key = keys.create(ada, "x")
    own_account.delete_account(ada)
    assert holders.find(key) is None
    assert db.session.scalars(select(ApiKey)).all() == []


def test_while_a_job_runs_the_account_stays(ada: User) -> None:
    """Its receipt would have no place."""
    job_id = accept("return.odd", Anything())
    change(job_id, state=State.RUNNING, lease_until=now())
    with pytest.raises(Conflict, match="running"):
        own_account.delete_account(ada)
    change(job_id, state=State.FAILED, lease_until=None, finished_at=now())
    own_account.delete_account(ada)
    assert db.session.scalars(select(User)).all() == []


@pytest.mark.parametrize("ground", ["postgresql"], indirect=True)
def test_an_account_goes_while_one_of_its_schedules_fires(ground: Flask, ada: User) -> None:
    """Whoever fires locks the schedule first and counts the owner's jobs then."""
    schedules.create(ada, kind_named("report.build"), ReportRequest(), Plan(name="x", cron="@daily"))
    lock = select(Schedule.id).with_for_update(key_share=True)
    with in_the_way(ground, lambda session: session.execute(lock), lambda session: add_open(session, OWNER, 0)):
        own_account.delete_account(ada)
    assert db.session.scalars(select(User)).all() == []


def test_a_name_is_changed_and_noted(ada: User) -> None:
    own_account.rename(ada, "Ada Lovelace")
    assert (ada.name, [line.what for line in trail.of(ada)]) == ("Ada Lovelace", ["account.renamed"])
