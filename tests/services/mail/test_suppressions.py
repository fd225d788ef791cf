"""What holds a mail back, and that a person can let exactly one go."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from tests.queue.rows import OWNER, add_owner, effects, job
from tests.services.mail.mailing import AMY, BOB, EVE, outcomes, person, run, send, submit
from tests.smtp_server import SmtpServer
from webapi.errors import Conflict, Invalid, NotFound
from webapi.services import jobs
from webapi.services.mail import suppressions

pytestmark = pytest.mark.usefixtures("owner")
OTHER = UUID("01900000-0000-7000-8000-00000000eee0")


@pytest.fixture
def two_a_day(ground: Flask) -> Iterator[None]:
    before, ground.config["MAIL_PER_RECIPIENT"] = ground.config["MAIL_PER_RECIPIENT"], 2
    yield
    ground.config["MAIL_PER_RECIPIENT"] = before


@pytest.mark.parametrize(
    ("reason", "sentence"), [("manual", "on your list"), ("bounce", "came back"), ("unsubscribe", "asked for no more")]
)
@pytest.mark.parametrize(("suppressed", "mailed"), [(BOB, BOB), ("Bob@Example.com", BOB), (BOB, "BOB@example.com")])
def test_a_suppressed_address_is_held_with_its_reason(
    mail_server: SmtpServer, reason: suppressions.Reason, sentence: str, suppressed: str, mailed: str
) -> None:
    suppressions.add(OWNER, suppressed, reason)
    job_id = send(mailed, EVE)
    assert outcomes(job_id) == {mailed: ("held", None), EVE: ("done", 250)}
    assert sentence in (effects(job_id)[mailed].reply or "")
    assert (job(job_id).state, job(job_id).error_code) == ("failed", "held")
    assert [mail.recipients for mail in mail_server.stored] == [(EVE,)]


def test_one_address_in_two_cases_is_held_in_both(mail_server: SmtpServer) -> None:
    suppressions.add(OWNER, BOB, "manual")
    job_id = send("Bob@example.com", BOB, "bOB@example.com")
    assert {state for state, _ in outcomes(job_id).values()} == {"held"}
    assert mail_server.stored == []


def test_a_person_lets_exactly_one_go(mail_server: SmtpServer) -> None:
    for address in (BOB, EVE):
        suppressions.add(OWNER, address, "bounce")
    job_id = send(BOB, EVE, AMY)
    jobs.release(person(), job_id, [effects(job_id)[BOB].id])
    run()
    assert outcomes(job_id) == {BOB: ("done", 250), EVE: ("held", None), AMY: ("done", 250)}
    assert sorted(mail.recipients[0] for mail in mail_server.stored) == [AMY, BOB]
    assert job(job_id).error_code == "held"
    jobs.release(person(), job_id, [effects(job_id)[EVE].id])
    run()
    assert (job(job_id).state, len(mail_server.stored)) == ("succeeded", 3)


def test_what_is_not_held_is_not_let_go(mail_server: SmtpServer) -> None:
    suppressions.add(OWNER, BOB, "manual")
    job_id = send(BOB, EVE)
    with pytest.raises((Invalid, Conflict)):
        jobs.release(person(), job_id, [effects(job_id)[EVE].id])
    with pytest.raises(NotFound):
        jobs.release(add_owner(OTHER, "eve@example.com"), job_id, [effects(job_id)[BOB].id])
    assert len(mail_server.to(EVE)) == 1


@pytest.mark.usefixtures("two_a_day")
def test_who_had_enough_today_is_held(mail_server: SmtpServer) -> None:
    send(BOB)
    send(BOB)
    job_id = send(BOB, EVE)
    assert outcomes(job_id) == {BOB: ("held", None), EVE: ("done", 250)}
    assert "2 mails to this address within 24 hours" in (effects(job_id)[BOB].reply or "")
    assert len(mail_server.to(BOB)) == 2


@pytest.mark.usefixtures("two_a_day")
def test_what_never_left_and_what_others_sent_is_not_counted(mail_server: SmtpServer) -> None:
    add_owner(OTHER, "eve@example.com")
    for options in ({"sandbox": True}, {"owner_id": OTHER}):
        for _ in range(2):
            send(BOB, **options)
    job_id = send(BOB)
    assert (outcomes(job_id)[BOB], len(mail_server.to(BOB))) == (("done", 250), 3)


def test_a_list_is_its_owners_alone(mail_server: SmtpServer) -> None:
    add_owner(OTHER, "eve@example.com")
    suppressions.add(OTHER, BOB, "manual")
    assert suppressions.among(OWNER, [BOB]) == {}
    with pytest.raises(NotFound):
        suppressions.remove(OWNER, BOB)
    assert outcomes(send(BOB))[BOB] == ("done", 250)


def test_what_is_suppressed_again_keeps_its_reason_and_what_is_removed_is_mailed(mail_server: SmtpServer) -> None:
    suppressions.add(OWNER, BOB, "unsubscribe", "first")
    suppressions.add(OWNER, BOB.upper(), "manual", "second")
    (row,) = suppressions.page(OWNER)
    assert (row.address, row.reason, row.detail) == (BOB, "unsubscribe", "first")
    suppressions.remove(OWNER, BOB.upper())
    assert outcomes(send(BOB))[BOB] == ("done", 250)


def test_a_page_goes_on_where_the_last_one_ended_and_takes_no_pattern() -> None:
    for address in ("a_b@x.example", "axb@x.example", "c%d@x.example", "cxd@x.example"):
        suppressions.add(OWNER, address, "manual")
    assert [row.address for row in suppressions.page(OWNER, "a_b@x.example", limit=2)] == [
        "axb@x.example",
        "c%d@x.example",
    ]
    assert [row.address for row in suppressions.page(OWNER, search="A_B")] == ["a_b@x.example"]
    assert [row.address for row in suppressions.page(OWNER, search="%")] == ["c%d@x.example"]


def test_a_held_mail_waits_for_nobody_else(mail_server: SmtpServer) -> None:
    suppressions.add(OWNER, BOB, "manual")
    job_id = submit(BOB)
    run()
    assert (job(job_id).attempt, mail_server.connections) == (1, 0)


@pytest.mark.usefixtures("two_a_day")
def test_the_limit_counts_an_address_however_it_is_spelt(mail_server: SmtpServer) -> None:
    for spelt in ("Bob@example.com", "bOb@example.com"):
        send(spelt)
    assert set(outcomes(send("BOB@example.com", "boB@example.com")).values()) == {("held", None)}
    assert len(mail_server.stored) == 2
