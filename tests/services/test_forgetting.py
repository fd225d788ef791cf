"""`flask forget`: nothing names the address any more but what a promise needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert, select

from tests.queue.rows import OWNER, accept, add_owner, change, effects, job
from tests.services.mailings import ground as mailings
from tests.smtp_server import Act, SmtpServer
from webapi.errors import Conflict
from webapi.extensions import db
from webapi.models import AttemptLog, Suppression, TrailEntry, User
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.audit import audit
from webapi.queue.files import Store
from webapi.queue.run import work
from webapi.services import forgetting, jobs, tickets, trail
from webapi.services.mail import suppressions
from webapi.services.mailings import watching
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.usefixtures("owner")
BOB, EVE = "bob@example.com", "eve@example.com"


def send(*to: str, **more: Any) -> UUID:
    job_id = accept("email.send", Email(to=list(to), subject="S", text=f"Dear {BOB}, a secret", **more))
    work(kind_named("email.send"))
    return job_id


@pytest.fixture
def clean(owner: object) -> Iterator[None]:
    """At the end nothing in the whole ledger holds the address."""
    yield
    db.session.rollback()
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            assert BOB not in str(row).lower(), f"{table.name} holds it"


@pytest.mark.usefixtures("clean")
def test_what_was_for_one_person_alone_loses_its_content_and_keeps_its_receipt(mail_server: SmtpServer) -> None:
    job_id = send("Bob@example.com")
    done = forgetting.forget(BOB)
    assert (done.jobs, done.receipts, done.open_jobs) == (1, 1, [])
    row = job(job_id)
    assert (row.payload, row.state) == (forgetting.EMPTIED, "succeeded")
    (effect,) = effects(job_id).values()
    assert (effect.state, effect.code, len(effect.effect_key)) == ("done", 250, len(BOB))
    assert not [each for each in audit() if each.offenders]


@pytest.mark.usefixtures("clean")
def test_what_was_for_several_loses_the_address_alone(mail_server: SmtpServer) -> None:
    job_id = send(BOB, EVE, "BOB@example.com")
    assert forgetting.forget(BOB).receipts == 2
    row = job(job_id)
    assert (row.payload["to"][1], row.payload["text"].endswith(", a secret")) == (EVE, True)
    assert sorted(each.state for each in effects(job_id).values()) == ["done"] * 3


def test_what_still_needs_it_is_named_and_left(mail_server: SmtpServer) -> None:
    waiting = accept("email.send", Email(to=[BOB], subject="S", text="t"), delay=60)
    mail_server.plan(EVE, Act.STORE_AND_HANG_UP)
    uncertain = send(EVE)
    assert forgetting.forget(BOB).open_jobs == [waiting]
    assert forgetting.forget(EVE).open_jobs == [uncertain]
    assert (job(waiting).payload["to"], job(uncertain).payload["to"]) == ([BOB], [EVE])
    jobs.cancel(db.session.get_one(User, OWNER), waiting)
    assert forgetting.forget(BOB).open_jobs == []
    assert job(waiting).payload == forgetting.EMPTIED


@pytest.mark.usefixtures("clean")
def test_nobody_mails_who_asked_not_to_be_mailed(mail_server: SmtpServer) -> None:
    suppressions.add(OWNER, BOB, "unsubscribe", f"by {BOB}")
    assert forgetting.forget(BOB).suppressions == 1
    assert suppressions.among(OWNER, ["Bob@Example.com", EVE]).keys() == {"Bob@Example.com"}
    assert suppressions.add(OWNER, BOB, "manual") is False
    assert db.session.scalars(select(Suppression.address)).one().startswith("sha256:")
    suppressions.remove(OWNER, BOB)
    assert suppressions.among(OWNER, [BOB]) == {}


@pytest.mark.usefixtures("clean")
def test_logs_links_and_the_trail(mail_server: SmtpServer) -> None:
    job_id = send(EVE)
    tickets.issue(tickets.INVITATION, BOB, 60)
    line = {"message": f"to {BOB}"}
    with writing() as session:
        session.execute(insert(AttemptLog).values(job_id=job_id, attempt=9, lines=[line]))
        trail.note("invitation.made", actor=trail.COMMAND_LINE, on_what=BOB, address=BOB)
    assert forgetting.forget(BOB).others == 3
    entries = db.session.scalars(select(TrailEntry).order_by(TrailEntry.id)).all()
    assert [each.what for each in entries] == ["invitation.made", "address.forgotten"]


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, ground: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """Where the rows of mailings are."""
    if request.param == "s3":
        monkeypatch.setitem(ground.extensions, "files", request.getfixturevalue("pail").store(tmp_path))
    found: Store = ground.extensions["files"]
    return found


@pytest.mark.usefixtures("clean")
def test_the_row_of_a_mailing_is_emptied_where_it_stands(store: Store, mail_server: SmtpServer) -> None:
    mailings.template()
    rows = mailings.people(3, f"{BOB},Bob the private,9.99")
    mailing_id = mailings.submit(rows, confirm="now")
    mailings.run(mailing_id)
    done = forgetting.forget(BOB)
    assert (done.mailings, done.receipts, done.uploads) == (1, 1, [mailings.mailing(mailing_id).upload_id])
    kept = store.read(mailings.mailing(mailing_id).recipients_sha256 or "")
    assert BOB.encode() not in kept
    assert len(kept.splitlines()) == 4
    assert watching.standing(mailings.mailing(mailing_id)).delivered == 4


def test_the_rows_of_a_mailing_that_is_not_over_are_left(mail_server: SmtpServer) -> None:
    mailings.template()
    mailing_id = mailings.submit(mailings.people(1, f"{BOB},Bob,1.00"))
    assert forgetting.forget(BOB).open_jobs == [mailing_id]


def test_an_account_goes_only_when_that_is_said() -> None:
    with pytest.raises(Conflict, match="--account"):
        forgetting.forget("ada@example.com")
    add_owner(UUID(int=7), EVE)
    change(accept("email.send", Email(to=[BOB], subject="S", text="t"), owner_id=UUID(int=7)), state="queued")
    assert forgetting.forget(EVE, account=True).account is True
    assert db.session.scalars(select(User.email)).all() == ["ada@example.com"]


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not one email address"):
        forgetting.forget("nobody")
