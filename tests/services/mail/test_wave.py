"""A wave: several mails at once, each with its own end, and none of them twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.queue.attempts import holding
from tests.queue.rows import accept, change, effects
from tests.services.mail.mailing import AMY, BOB, EVE, JOE, outcomes
from tests.smtp_server import Act, SmtpServer
from tests.waiting import until
from webapi.errors import Transient
from webapi.queue import kind_named
from webapi.queue.attempt import Snooze
from webapi.queue.claim import claim
from webapi.queue.effects import outstanding
from webapi.services.mail import pool, wave
from webapi.services.mail.letters import Letter
from webapi.services.mail.mailer import Errand, deliver
from webapi.services.mail.message import Envelope
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.usefixtures("owner")
ALL = [BOB, EVE, JOE, AMY]
FROM = Envelope("us@example.com")


@pytest.fixture(params=[["8BITMIME"], ["PIPELINING"]], ids=["one by one", "in groups"], autouse=True)
def offers(mail_server: SmtpServer, request: pytest.FixtureRequest) -> None:
    mail_server.offers = request.param


def in_a_wave(
    *to: str, job_id: UUID | None = None, connections: int = 4, between: Callable[[], None] = lambda: None
) -> tuple[UUID, dict[str, int] | Transient]:
    """One attempt at a job that mails all of them at once, and what it says."""
    job_id = job_id or accept("email.send", Email(to=list(to), subject="Hi", text="Hi."))
    attempt = claim(kind_named("email.send"))
    assert attempt is not None
    assert attempt.job_id == job_id
    with holding(attempt):
        try:
            values: dict[str, dict[str, str]] = {address: {} for address in to}
            return job_id, deliver(Errand(Letter("Hi", "Hi."), values, FROM, (), connections, between))
        except Transient as error:
            return job_id, error


def received(server: SmtpServer) -> list[str]:
    return sorted(mail.recipients[0] for mail in server.stored)


def test_each_mail_of_a_wave_ends_as_its_server_says(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.REFUSE_AT_RCPT)
    mail_server.plan(EVE, Act.LATER_AFTER_THE_DOT)
    mail_server.plan(JOE, Act.STORE_AND_HANG_UP)
    job_id, said = in_a_wave(*ALL)
    assert isinstance(said, Transient)
    assert outcomes(job_id) == {
        BOB: ("refused", 550),
        EVE: ("pending", 452),
        JOE: ("unknown", None),
        AMY: ("done", 250),
    }
    assert received(mail_server) == sorted([JOE, AMY])
    assert mail_server.connections == 4


@pytest.mark.parametrize("first", [Act.REFUSE_AT_RCPT, Act.LATER_AT_RCPT, Act.REFUSE_AFTER_THE_DOT])
@pytest.mark.parametrize("position", range(4))
def test_where_in_the_wave_one_is_declined_makes_no_difference(
    mail_server: SmtpServer, first: Act, position: int
) -> None:
    mail_server.plan(ALL[position], first)
    job_id, _ = in_a_wave(*ALL)
    rest = [address for address in ALL if address != ALL[position]]
    assert {outcomes(job_id)[address] for address in rest} == {("done", 250)}
    assert received(mail_server) == sorted(rest)


def test_more_mails_than_connections_go_in_several_waves_and_each_once(mail_server: SmtpServer) -> None:
    many = [f"p{number}@example.com" for number in range(23)]
    mail_server.plan(many[5], Act.REFUSE_AT_RCPT)
    job_id, said = in_a_wave(*many)
    assert said == {"accepted": 22, "refused": 1, "held": 0}
    assert received(mail_server) == sorted(set(many) - {many[5]})
    assert (mail_server.connections, {effect.try_no for effect in effects(job_id).values()}) == (4, {0, 1})


def test_a_kept_connection_that_dies_at_mail_is_replaced_and_the_mail_is_sent_once(mail_server: SmtpServer) -> None:
    deliver(Errand(Letter("Hi", "Hi."), {BOB: {}}, FROM))
    job_id = accept("email.send", Email(to=[EVE], subject="Hi", text="Hi."))
    attempt = claim(kind_named("email.send"))
    assert attempt is not None
    with holding(attempt), pool.borrowed(1) as (line,):
        (act,) = outstanding([EVE])
        assert line.kept
        mail_server.hang_up()
        until(lambda: not line.usable, what="the end of the connection")
        post = wave.Posted(act, b"Subject: Hi\r\n\r\nHi.\r\n", "<1@example.com>")
        result = wave.send("us@example.com", [(line, post)])
        assert (result.receipts, result.again) == ((), (post,))
        assert outcomes(job_id) == {EVE: ("pending", None)}
        deliver(Errand(Letter("Hi", "Hi."), {EVE: {}}, FROM))
    assert outcomes(job_id) == {EVE: ("done", 250)}
    assert received(mail_server) == [BOB, EVE]


def test_kept_connections_that_all_died_are_replaced_within_the_job(mail_server: SmtpServer) -> None:
    in_a_wave(BOB, EVE)
    mail_server.plan(JOE, Act.HANG_UP_AT_DATA)
    job_id, said = in_a_wave(JOE, AMY, connections=1)
    assert said == {"accepted": 2, "refused": 0, "held": 0}
    assert outcomes(job_id) == {JOE: ("done", 250), AMY: ("done", 250)}
    assert received(mail_server) == sorted(ALL)


def test_a_server_that_hangs_up_on_whoever_names_too_many_strangers_is_asked_again(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.REFUSE_AT_RCPT)
    mail_server.plan(EVE, Act.HANG_UP_AT_DATA)
    _, said = in_a_wave(BOB, EVE, connections=1)
    assert said == {"accepted": 1, "refused": 1, "held": 0}
    assert (received(mail_server), mail_server.connections) == ([EVE], 2)


def test_a_new_connection_that_dies_before_the_mail_is_for_another_attempt(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.HANG_UP_AT_DATA)
    job_id, said = in_a_wave(BOB, EVE)
    assert isinstance(said, Transient)
    assert outcomes(job_id) == {BOB: ("pending", None), EVE: ("pending", None)}
    assert mail_server.stored == []


def test_a_process_that_stood_still_after_its_marks_sends_no_dot(mail_server: SmtpServer) -> None:
    with pool.borrowed(1) as (line,):
        for _ in line.offer("us@example.com", BOB):
            pass
        line.body(b"Subject: Hi\r\n\r\nHi.\r\n")
        assert not wave._dotted(line, time.monotonic() - 1)
        assert not line.usable
    assert mail_server.stored == []


def turn_of(waves: int) -> Callable[[], None]:
    """What lets so many waves begin, and then says that it is for others to work."""
    left = iter(range(waves))

    def between() -> None:
        if next(left, None) is None:
            raise Snooze(0, "it is for others to work")

    return between


def test_a_turn_in_which_all_were_put_off_is_charged_and_the_next_begins_with_others(mail_server: SmtpServer) -> None:
    """A rest is free: a server that is slow to put people off would keep the same part busy for ever."""
    for each in (BOB, EVE):
        mail_server.plan(each, *[Act.LATER_AT_RCPT] * 3)
    job_id, said = in_a_wave(*ALL, connections=1, between=turn_of(2))
    assert str(said).startswith("The mail server asked to try 2 of 4 again later: 450")
    change(job_id, state="queued", lease_owner=None, lease_until=None)
    with pytest.raises(Snooze):
        in_a_wave(*ALL, job_id=job_id, connections=1, between=turn_of(3))
    assert received(mail_server) == sorted([AMY, JOE])


def test_without_a_ledger_a_wave_is_sent_all_the_same(mail_server: SmtpServer) -> None:
    done = deliver(Errand(Letter("Hi", "Hi."), {address: {} for address in ALL}, FROM, connections=2))
    assert (done["accepted"], received(mail_server)) == (4, sorted(ALL))
