"""SMTP with the moment of no return in view."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.conftest import BASE
from tests.smtp_server import Act, SmtpServer, smtp_server
from tests.waiting import until
from webapi import create_app
from webapi.errors import Permanent, Transient
from webapi.services.mail.pool import borrowed
from webapi.services.mail.smtp import Broken, Connection, Reply, connect

BOB = "bob@example.com"
MAIL = b"Subject: Hello\n\nIt works.\n"


@pytest.fixture
def mail_server() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def make_mailing(mail_server: SmtpServer) -> Callable[..., Flask]:
    settings = {**BASE, "DATABASE_URL": "sqlite://", "MAIL_PORT": mail_server.port}
    return lambda **changes: create_app({**settings, **changes})


@pytest.fixture
def connection(make_mailing: Callable[..., Flask]) -> Iterator[Connection]:
    app = make_mailing()
    with app.app_context():
        connection = connect(app.extensions["mail"])
        yield connection
        connection.quit()


@pytest.fixture(params=[["8BITMIME"], ["8BITMIME", "PIPELINING"]], ids=["one by one", "in groups"], autouse=True)
def offers(mail_server: SmtpServer, request: pytest.FixtureRequest) -> None:
    mail_server.offers = request.param


def transmit(connection: Connection, before_dot: Callable[[], None] = lambda: None) -> Reply:
    """One mail, step by step. The reply to its dot, or the one that declined it."""
    for _ in connection.offer("us@example.com", BOB):
        pass
    if connection.declined:
        return connection.declined
    connection.body(MAIL)
    before_dot()
    connection.dot()
    return connection.answer(time.monotonic() + 5)


def test_a_reply_is_a_code_and_its_words(connection: Connection, mail_server: SmtpServer) -> None:
    reply = transmit(connection)
    assert (reply.code, reply.text, reply.accepted, reply.transient) == (250, "2.0.0 stored", True, False)
    assert mail_server.stored[0].sender == "us@example.com"


def test_before_the_dot_nothing_is_accepted(connection: Connection, mail_server: SmtpServer) -> None:
    seen: list[int] = []
    transmit(connection, lambda: seen.append(len(mail_server.stored)))
    assert (seen, len(mail_server.stored)) == ([0], 1)


def test_who_stops_before_the_dot_leaves_no_mail(connection: Connection, mail_server: SmtpServer) -> None:
    with pytest.raises(Broken):
        transmit(connection, connection.close)
    with pytest.raises(Broken):
        transmit(connection)  # the connection is gone, with what it had
    assert mail_server.stored == []


@pytest.mark.parametrize(("act", "code"), [(Act.REFUSE_AT_RCPT, 550), (Act.LATER_AT_RCPT, 450)])
def test_what_is_declined_before_the_body_never_comes_to_the_dot(
    connection: Connection, mail_server: SmtpServer, act: Act, code: int
) -> None:
    mail_server.plan(BOB, act)
    marks: list[int] = []
    assert (transmit(connection, lambda: marks.append(1)).code, marks) == (code, [])
    assert mail_server.stored == []


def test_after_a_mail_that_was_declined_the_next_one_goes_out(connection: Connection, mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.REFUSE_AT_RCPT)
    transmit(connection)
    assert connection.dirty
    assert transmit(connection).accepted
    assert not connection.dirty


def test_no_answer_to_the_dot_is_said_so(connection: Connection, mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.STORE_AND_HANG_UP)
    dots: list[int] = []
    with pytest.raises(Broken):
        transmit(connection, lambda: dots.append(1))
    assert dots


def test_an_answer_that_answers_something_else_is_none(connection: Connection, mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.STORE_AND_ANSWER_NONSENSE)
    with pytest.raises(Broken):
        transmit(connection)
    assert not connection.usable


def test_a_dot_that_never_left_is_known(connection: Connection, mail_server: SmtpServer) -> None:
    """RFC 5321 section 4.1.1.10: nothing was accepted, so that it may be tried again."""
    mail_server.plan(BOB, Act.HANG_UP_BEFORE_THE_DOT)
    dots: list[int] = []

    def wait_until_it_hung_up() -> None:
        assert connection.host is not None
        poll = select.poll()
        poll.register(connection.host.sock, select.POLLHUP)  # type: ignore[arg-type]
        until(lambda: poll.poll(0), what="the server to hang up")
        with pytest.raises(Broken):
            connection.dot()
        dots.append(1)

    with pytest.raises(Broken):
        transmit(connection, wait_until_it_hung_up)
    assert dots


def test_no_password_goes_out_in_clear(make_mailing: Callable[..., Flask], mail_server: SmtpServer) -> None:
    app = make_mailing(MAIL_USERNAME="us", MAIL_PASSWORD="secret")
    with app.app_context(), pytest.raises(Permanent, match="MAIL_USE_TLS"), borrowed(1):
        pass
    assert mail_server.stored == []


@pytest.mark.parametrize("setting", ["MAIL_USE_TLS", "MAIL_USE_SSL"])
def test_tls_that_was_asked_for_is_not_done_without(make_mailing: Callable[..., Flask], setting: str) -> None:
    with make_mailing(**{setting: True}).app_context(), pytest.raises(Transient), borrowed(1):
        pass


def test_nobody_listening_is_said_in_a_sentence(make_mailing: Callable[..., Flask]) -> None:
    with make_mailing(MAIL_PORT=1).app_context(), pytest.raises(Transient, match="cannot be reached"), borrowed(1):
        pass
