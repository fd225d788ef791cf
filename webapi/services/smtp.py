"""SMTP with the moment of no return in view: a callback between the body and the final dot.

RFC 5321 section 4.1.1.10: a connection that drops before the final dot means that nothing was accepted. One that
drops after it means nothing at all, and then we say so.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import flask_mail
from flask import current_app

from webapi.errors import Permanent, Transient
from webapi.failpoints import failpoint
from webapi.queue.effects import answer_limit

CONNECT_TIMEOUT = 10.0  # seconds
BARE_EOL = re.compile(rb"\r\n|\r|\n")
LEADING_DOT = re.compile(rb"(?m)^\.")


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


class NoReply(Exception):
    """The final dot was sent and nothing came back: nobody can know whether the mail was accepted."""


class NotSent(Transient):
    """The final dot could not be sent, so the mail certainly was not accepted."""


class NotBegun(Exception):
    """The server declined before the body; `reply` says how."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply.text)


class Connection(flask_mail.Connection):
    """Flask-Mail's connection with a timeout and verified certificates, which it lacks."""

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
        assert host.sock is not None
        host.sock.settimeout(answer_limit())
        return host

    def transmit(self, sender: str, recipient: str, message: bytes, before_dot: Callable[[], None]) -> Reply:
        """One SMTP transaction for one recipient. `before_dot` runs when all but the final dot is sent.

        Raises NotBegun when the server declines the envelope, NoReply when it does not answer the
        dot, and Transient or OSError when the connection fails before it: then the mail was not accepted.
        """
        assert self.host is not None
        host = self.host
        try:
            host.ehlo_or_helo_if_needed()
            for answer in (host.mail(sender), host.rcpt(recipient)):
                _expect(answer)
            code, text = host.docmd("DATA")
            if code != 354:
                raise NotBegun(_reply(code, text))
            host.send(on_the_wire(message))
        except smtplib.SMTPException as error:
            raise Transient("The mail server hung up before it took the mail.") from error
        try:
            before_dot()
        except BaseException:
            host.close()  # without the dot; a server discards what it has
            raise
        try:
            host.send(b".\r\n")
        except (smtplib.SMTPException, OSError) as error:
            host.close()
            raise NotSent("The mail server hung up before the end of the mail.") from error
        failpoint("E2")
        try:
            return _reply(*host.getreply())
        except (smtplib.SMTPException, OSError) as error:
            host.close()
            raise NoReply from error

    def reset(self) -> None:
        """Make the connection ready for the next mail after one that was declined."""
        assert self.host is not None
        try:
            self.host.rset()
        except smtplib.SMTPException as error:
            raise Transient("The mail server hung up after it declined a mail.") from error


@contextmanager
def connected() -> Iterator[Connection]:
    """A connection to the configured server, for any number of mails. Raises Transient when there is none."""
    connection = Connection(current_app.extensions["mail"])
    try:
        connection.host = connection.configure_host()
    except smtplib.SMTPException as error:
        raise Transient(f"The mail server let us in no further ({type(error).__name__}).") from error
    except OSError as error:
        raise Transient(f"The mail server cannot be reached: {error.strerror or type(error).__name__}.") from error
    try:
        yield connection
    finally:
        try:
            connection.host.quit()
        except (smtplib.SMTPException, OSError):
            connection.host.close()


def on_the_wire(message: bytes) -> bytes:
    """RFC 5321: every line ends in CR LF (section 2.3.8) and a leading dot is doubled (section 4.5.2)."""
    lines = BARE_EOL.sub(b"\r\n", message)
    lines = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    return LEADING_DOT.sub(b"..", lines)


def _expect(answer: tuple[int, bytes]) -> None:
    reply = _reply(*answer)
    if not reply.accepted:
        raise NotBegun(reply)


def _reply(code: int, text: bytes) -> Reply:
    return Reply(code, text.decode("utf-8", "replace"))
