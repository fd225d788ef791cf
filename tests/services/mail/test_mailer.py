"""One SMTP transaction for each recipient, and a receipt for each in the ledger, whatever the server does."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import update

from tests.queue.rows import accept, change, effects, job
from tests.smtp_server import Act, SmtpServer
from webapi.models import Effect
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.usefixtures("owner")
BOB, EVE, JOE = "bob@example.com", "eve@example.com", "joe@example.com"


def submit(*to: str) -> UUID:
    return accept("email.send", Email(to=list(to), subject="Hello", text="It works."))


def send(*to: str) -> UUID:
    """A job, and its first attempt."""
    job_id = submit(*to)
    work(kind_named("email.send"))
    return job_id


def again(job_id: UUID) -> None:
    """The next attempt, when the wait for it is over."""
    change(job_id, run_at=after(0))
    wake_due()
    work(kind_named("email.send"))


def receipts(job_id: UUID) -> dict[str, tuple[str, int | None]]:
    return {key: (effect.state, effect.code) for key, effect in effects(job_id).items()}


def test_each_recipient_gets_a_mail_of_their_own(mail_server: SmtpServer) -> None:
    job_id = send(BOB, EVE)
    assert [mail.recipients for mail in mail_server.stored] == [(BOB,), (EVE,)]
    assert [mail.message["To"] for mail in mail_server.stored] == [BOB, EVE]
    assert receipts(job_id) == {BOB: ("done", 250), EVE: ("done", 250)}
    assert (job(job_id).state, job(job_id).result, job(job_id).progress) == (
        "succeeded",
        {"accepted": 2, "refused": 0, "held": 0},
        100,
    )


def test_many_recipients_share_a_connection(mail_server: SmtpServer) -> None:
    send(BOB, EVE, JOE)
    assert (mail_server.connections, len(mail_server.stored)) == (1, 3)


def test_the_reply_is_kept_as_the_receipt(mail_server: SmtpServer) -> None:
    job_id = send(BOB)
    receipt = effects(job_id)[BOB]
    assert (receipt.reply, receipt.message_id) == ("2.0.0 stored", mail_server.stored[0].message["Message-ID"])


@pytest.mark.parametrize(("act", "code"), [(Act.REFUSE_AT_RCPT, 550), (Act.REFUSE_AFTER_THE_DOT, 554)])
def test_who_is_refused_is_not_tried_again_and_the_others_get_theirs(
    mail_server: SmtpServer, act: Act, code: int
) -> None:
    mail_server.plan(BOB, act)
    job_id = send(BOB, EVE)
    assert receipts(job_id) == {BOB: ("refused", code), EVE: ("done", 250)}
    assert (job(job_id).state, job(job_id).error_public) == ("failed", "1 of 2 were refused.")
    assert mail_server.to(BOB) == []


@pytest.mark.parametrize(("act", "code"), [(Act.LATER_AT_RCPT, 450), (Act.LATER_AFTER_THE_DOT, 452)])
def test_who_is_put_off_is_tried_again_and_nobody_else(mail_server: SmtpServer, act: Act, code: int) -> None:
    mail_server.plan(BOB, act)
    job_id = send(BOB, EVE)
    assert receipts(job_id) == {BOB: ("pending", code), EVE: ("done", 250)}
    assert job(job_id).state == "retrying"
    again(job_id)
    assert (len(mail_server.to(BOB)), len(mail_server.to(EVE))) == (1, 1)
    assert (job(job_id).state, job(job_id).attempt) == ("succeeded", 2)


def test_a_connection_that_ends_before_the_body_is_tried_again_as_if_nothing_was(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.HANG_UP_AT_DATA)
    job_id = send(BOB, EVE)
    assert receipts(job_id) == {BOB: ("pending", None), EVE: ("pending", None)}
    assert job(job_id).error_public == "The mail server hung up before it took the mail."
    again(job_id)
    assert (len(mail_server.to(BOB)), len(mail_server.to(EVE)), job(job_id).state) == (1, 1, "succeeded")


NO_ANSWER = [Act.STORE_AND_HANG_UP, Act.DISCARD_AND_HANG_UP, Act.STORE_AND_STAY_SILENT]


def test_a_server_that_hangs_up_before_the_dot_gets_no_second_mail_that_it_could_have_had(
    mail_server: SmtpServer,
) -> None:
    """Whether the dot left before we noticed is up to the network; either way the receipt is honest."""
    mail_server.plan(BOB, Act.HANG_UP_BEFORE_THE_DOT)
    job_id = send(BOB)
    ((state, _),) = receipts(job_id).values()
    assert state in {"pending", "unknown"}
    again(job_id)
    assert len(mail_server.to(BOB)) == (state == "pending")


@pytest.fixture
def short_lease(ground: Flask) -> Iterator[None]:
    """An answer is waited for less than half a lease."""
    before, ground.config["LEASE_SECONDS"] = ground.config["LEASE_SECONDS"], 2
    yield
    ground.config["LEASE_SECONDS"] = before


@pytest.mark.usefixtures("short_lease")
@pytest.mark.parametrize("act", NO_ANSWER, ids=lambda act: act.name)
def test_when_the_dot_has_no_answer_nobody_is_mailed_twice(mail_server: SmtpServer, act: Act) -> None:
    mail_server.plan(BOB, act)
    job_id = send(BOB)
    assert receipts(job_id) == {BOB: ("unknown", None)}
    again(job_id)
    assert (job(job_id).state, job(job_id).error_public) == ("uncertain", "1 of 1 ended without an answer.")
    stored = act in {Act.STORE_AND_HANG_UP, Act.STORE_AND_STAY_SILENT}
    assert len(mail_server.to(BOB)) == stored


def test_the_others_get_theirs_after_one_without_an_answer(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.DISCARD_AND_HANG_UP)
    job_id = send(BOB, EVE)
    again(job_id)
    assert receipts(job_id) == {BOB: ("unknown", None), EVE: ("done", 250)}
    assert job(job_id).state == "uncertain"


def test_what_was_in_flight_when_its_worker_died_is_held(mail_server: SmtpServer) -> None:
    """E1b: marked, and killed before the dot. Under `hold` it is not sent by a guess."""
    job_id = send(EVE)
    change(job_id, state="queued", finished_at=None, epoch=1)
    with writing() as session:
        session.execute(update(Effect).where(Effect.job_id == job_id).values(state="inflight", marked_by=1))
    work(kind_named("email.send"))
    assert (job(job_id).state, len(mail_server.to(EVE))) == ("uncertain", 1)


def test_the_message_id_of_a_retry_is_the_same(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.LATER_AFTER_THE_DOT)
    job_id = send(BOB)
    first = effects(job_id)[BOB].message_id
    again(job_id)
    assert mail_server.stored[0].message["Message-ID"] == first
    assert first == f"<{effects(job_id)[BOB].id}.{job_id}@localhost.example>"


def test_a_server_that_cannot_be_reached_is_tried_again_later(ground: Flask) -> None:
    job_id = send(BOB)  # nobody listens on port 1
    assert (job(job_id).state, receipts(job_id)) == ("retrying", {BOB: ("pending", None)})
    assert (job(job_id).error_public or "").startswith("The mail server cannot be reached: Connection refused")


def test_a_server_that_does_not_want_us_is_tried_again_later(mail_server: SmtpServer) -> None:
    mail_server.greeting = "554 5.3.2 not today"
    job_id = send(BOB)
    assert (job(job_id).state, receipts(job_id)) == ("retrying", {BOB: ("pending", None)})


def test_one_address_that_is_named_twice_is_mailed_once(mail_server: SmtpServer) -> None:
    job_id = send(BOB, BOB)
    assert (len(mail_server.to(BOB)), job(job_id).state) == (1, "succeeded")
