"""Connections are kept from job to job, and no mail is lost or doubled when one of them is gone."""

from __future__ import annotations

import os
import socket

import pytest
from flask import Flask

from tests.queue.rows import job
from tests.services.mail.mailing import AMY, BOB, EVE, JOE, outcomes, send
from tests.smtp_server import Act, SmtpServer
from tests.waiting import until
from webapi.errors import Transient
from webapi.services.mail import pool
from webapi.services.mail.letters import Letter
from webapi.services.mail.mailer import Errand, deliver
from webapi.services.mail.message import Envelope
from webapi.services.mail.smtp import Connection

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture(params=[["8BITMIME"], ["PIPELINING"]], ids=["one by one", "in groups"], autouse=True)
def offers(mail_server: SmtpServer, request: pytest.FixtureRequest) -> None:
    mail_server.offers = request.param


def idle(app: Flask) -> list[Connection]:
    kept: list[Connection] = app.extensions["smtp"]._idle
    return kept


def own_socket(connection: Connection) -> socket.socket:
    assert connection.host is not None
    assert isinstance(connection.host.sock, socket.socket)
    return connection.host.sock


def hang_up(server: SmtpServer, connection: Connection) -> None:
    """The server ends a connection while nobody uses it, as one does that is started anew."""
    server.hang_up()
    until(lambda: not connection.usable, what="the end of the connection")


def test_a_connection_is_used_again_for_the_next_job(ground: Flask, mail_server: SmtpServer) -> None:
    for address in (BOB, EVE, JOE):
        send(address)
    assert (mail_server.connections, len(mail_server.stored), len(idle(ground))) == (1, 3, 1)


def test_one_whose_server_hung_up_meanwhile_is_replaced(ground: Flask, mail_server: SmtpServer) -> None:
    send(BOB)
    hang_up(mail_server, idle(ground)[0])
    job_id = send(EVE)
    assert (job(job_id).state, job(job_id).attempt) == ("succeeded", 1)
    assert (mail_server.connections, [mail.recipients for mail in mail_server.stored]) == (2, [(BOB,), (EVE,)])


def test_one_that_the_server_ends_while_a_mail_is_under_way_is_replaced_for_the_next(mail_server: SmtpServer) -> None:
    mail_server.plan(BOB, Act.STORE_AND_HANG_UP)
    first, second = send(BOB), send(EVE)
    assert (outcomes(first), outcomes(second)) == ({BOB: ("unknown", None)}, {EVE: ("done", 250)})
    assert len(mail_server.stored) == 2


@pytest.mark.parametrize("what", ["opened", "used"])
def test_one_that_is_too_old_is_ended_with_a_word(ground: Flask, mail_server: SmtpServer, what: str) -> None:
    send(BOB)
    old = idle(ground)[0]
    setattr(old, what, getattr(old, what) - 301)
    send(EVE)
    until(lambda: mail_server.goodbyes == 1, what="QUIT")
    assert (mail_server.connections, idle(ground)[0] is old) == (2, False)


def test_one_that_rested_is_asked_whether_it_still_works(ground: Flask, mail_server: SmtpServer) -> None:
    send(BOB)
    idle(ground)[0].used -= pool.QUIET + 1
    send(EVE)
    assert (mail_server.connections, len(mail_server.stored)) == (1, 2)


def test_after_a_fork_the_child_does_not_speak_on_its_parents_connections(
    ground: Flask, mail_server: SmtpServer
) -> None:
    send(BOB)
    parents = own_socket(idle(ground)[0]).getsockname()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest's is to run here
        try:
            with pool.borrowed(1) as lent:
                os.write(writer, repr(own_socket(lent[0]).getsockname()).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    said = os.read(reader, 1000).decode()
    os.close(reader)
    assert said not in {"", repr(parents)}
    send(EVE)
    assert (own_socket(idle(ground)[0]).getsockname(), len(mail_server.stored)) == (parents, 2)


def test_with_fewer_connections_than_wanted_the_work_goes_on(mail_server: SmtpServer) -> None:
    mail_server.most = 2
    to: dict[str, dict[str, str]] = {address: {} for address in (BOB, EVE, JOE, AMY, "a@b.example", "c@d.example")}
    done = deliver(Errand(Letter("Hi", "Hi."), to, Envelope("us@example.com"), connections=4))
    assert done == {"accepted": 6, "refused": 0, "held": 0}
    assert sorted(mail.recipients[0] for mail in mail_server.stored) == sorted(to)


def test_with_no_connection_at_all_it_is_said(mail_server: SmtpServer) -> None:
    mail_server.most = 0
    with pytest.raises(Transient, match="let us in no further"), pool.borrowed(4):
        pass


def test_one_on_which_a_mail_was_declined_is_not_kept_in_the_middle_of_it(
    ground: Flask, mail_server: SmtpServer
) -> None:
    mail_server.plan(BOB, Act.REFUSE_AT_RCPT)
    send(BOB)
    assert idle(ground) == []
    send(EVE, BOB)
    assert len(mail_server.stored) == 2
