"""SMTP with the moment of no return in view: all but the final dot, then, once that is written down, the dot.

RFC 5321 section 4.1.1.10: a connection that drops before the final dot means that nothing was accepted. One that
drops after it means nothing at all, and then we say so. Commands go in groups where the server offers it (RFC 2920).
"""

from __future__ import annotations

import select
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import flask_mail

from webapi.errors import Permanent, Transient
from webapi.queue.acts import answer_limit
from webapi.services.mail.message import on_the_wire

CONNECT_TIMEOUT = 10.0  # seconds
LEAST_TIMEOUT = 0.05  # seconds; 0 would mean not to wait at all


@dataclass(frozen=True)
class Reply:
    """A server's reply: the code of RFC 5321 section 4.2 and its text."""

    code: int
    text: str

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500


class Broken(Exception):
    """The connection failed. Before the final dot that means that the mail was not accepted."""


class Connection(flask_mail.Connection):
    """Flask-Mail's connection with a timeout and verified certificates, which it lacks, in steps.

    For each mail: `offer` to its end, `body`, `dot`, `answer`. `kept` says that it has worked before.
    """

    declined: Reply | None = None
    kept = False
    dirty = False

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        settings, context = self.mail, ssl.create_default_context()
        host: smtplib.SMTP | smtplib.SMTP_SSL
        if settings.use_ssl:
            host = smtplib.SMTP_SSL(settings.server, settings.port, timeout=CONNECT_TIMEOUT, context=context)
        else:
            host = smtplib.SMTP(settings.server, settings.port, timeout=CONNECT_TIMEOUT)
        if settings.use_tls:
            host.starttls(context=context)
        if settings.username and settings.password:
            if not (settings.use_tls or settings.use_ssl):
                raise Permanent(
                    "MAIL_USERNAME is set without MAIL_USE_TLS or MAIL_USE_SSL; no password is sent in clear."
                )
            host.login(settings.username, settings.password)
        host.ehlo_or_helo_if_needed()
        assert host.sock is not None
        # The dot is a small packet after a large one, which would wait for the acknowledgement of that.
        host.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host.sock.settimeout(answer_limit())
        self.opened = self.used = time.monotonic()
        return host

    def offer(self, sender: str, to: str) -> Iterator[None]:
        """The envelope. Yields where a reply is awaited, so that several connections can wait together.

        At its end `declined` is the server's reply when it wants no body. Raises Broken.
        """
        commands = [f"MAIL FROM:<{sender}>", f"RCPT TO:<{to}>", "DATA"]
        if self.dirty:
            commands.insert(0, "RSET")
        # A server that offers no groups may take what comes too early for an offence, and the next recipient pays.
        groups = [commands] if self._host.has_extn("pipelining") else [[command] for command in commands]
        self.declined, self.dirty = None, True
        for group in groups:
            self._send("".join(f"{command}\r\n" for command in group).encode("ascii"))
            yield
            for command in group:
                self._hear(command, self._reply())
            if self.declined:
                self.kept = True
                return

    def _hear(self, command: str, reply: Reply) -> None:
        if command == "RSET":
            if not reply.accepted:  # this says nothing about the recipient who is next
                self._out_of_step()
        elif command != "DATA":
            self.declined = self.declined or (None if reply.accepted else reply)
        elif reply.code != 354:
            self.declined = self.declined or reply
        elif self.declined:  # RFC 2920 section 3.1: it waits for a mail that nobody will get
            self._send(b".\r\n")
            self._reply()

    def body(self, message: bytes) -> None:
        """All but the final dot. Raises Broken."""
        self._send(on_the_wire(message))

    def dot(self) -> None:
        """From here on the mail may be accepted. Raises Broken when it could not be sent."""
        self._send(b".\r\n")

    def answer(self, deadline: float) -> Reply:
        """The reply to the dot, until the monotonic time `deadline`. Raises Broken: then nobody knows."""
        if self._host.sock is not None:
            self._host.sock.settimeout(max(LEAST_TIMEOUT, deadline - time.monotonic()))
        reply = self._reply()
        if not (reply.accepted or reply.transient or 500 <= reply.code < 600):
            self._out_of_step()  # this answers something else, and nobody knows what became of the mail
        self.dirty, self.kept, self.used = False, True, time.monotonic()
        if self._host.sock is not None:
            self._host.sock.settimeout(answer_limit())
        return reply

    def close(self) -> None:
        """Without a word: a server discards a mail whose dot it has not had."""
        self._host.close()

    def quit(self) -> None:
        """Say goodbye, and wait for nobody's."""
        try:
            self._send(b"QUIT\r\n")
        except Broken:
            return
        self.close()

    @property
    def usable(self) -> bool:
        """Whether it is open and the server has said nothing since the last mail: it would only say goodbye."""
        sock = self._host.sock
        return sock is not None and not select.select([sock], [], [], 0)[0]

    def noop(self) -> bool:
        """Whether the server still answers."""
        try:
            self._send(b"NOOP\r\n")
            return self._reply().accepted
        except Broken:
            return False

    def _out_of_step(self) -> NoReturn:
        self.close()
        raise Broken

    @property
    def _host(self) -> smtplib.SMTP:
        assert self.host is not None
        return self.host

    def _send(self, data: bytes) -> None:
        try:
            self._host.send(data)
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Broken from error

    def _reply(self) -> Reply:
        try:
            code, text = self._host.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Broken from error
        if code == -1:
            self._out_of_step()
        return Reply(code, text.decode("utf-8", "replace"))


def connect(mail: flask_mail.Mail) -> Connection:
    """A new connection to the configured server. Raises Transient when there is none."""
    connection = Connection(mail)
    try:
        connection.host = connection.configure_host()
    except smtplib.SMTPException as error:
        raise Transient(f"The mail server let us in no further ({type(error).__name__}).") from error
    except OSError as error:
        raise Transient(f"The mail server cannot be reached: {error.strerror or type(error).__name__}.") from error
    return connection
