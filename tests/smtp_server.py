"""An SMTP server that does what a test tells it to, recipient by recipient, and remembers what it stored.

`plan("bob@example.com", Act.LATER_AT_RCPT)` is for the next mail to Bob; after the planned ones every
mail is accepted. What hangs up does so without a reply, as a server that dies does.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BufferedReader
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import cast

from tests.smtp_acts import ANSWERS, STORED, Act

__all__ = ["Act", "SmtpServer", "Stored", "smtp_server"]

ADDRESS = re.compile(rb"<([^<>]*)>")


@dataclass(frozen=True)
class Stored:
    """A mail as it came in: its envelope, the bytes on the wire, and what they say."""

    sender: str
    recipients: tuple[str, ...]
    wire: bytes
    options: str

    @property
    def message(self) -> EmailMessage:
        undoubled = re.sub(rb"(?m)^\.", b"", self.wire)
        return message_from_bytes(undoubled, policy=policy.default)


class HungUp(Exception):
    """The connection is to be closed without another word."""


class SmtpServer(ThreadingTCPServer):
    """Listens on a free port of 127.0.0.1 until it is closed."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.port: int = self.server_address[1]
        self.stored: list[Stored] = []
        self.connections = self.goodbyes = 0
        self.most: int | None = None  # connections that are let in at a time
        self.open: list[socket.socket] = []
        self.greeting = "220 ready"
        self.offers = ["8BITMIME"]
        self.done = threading.Event()
        self._plans: dict[str, list[Act]] = defaultdict(list)

    def plan(self, recipient: str, *acts: Act) -> None:
        self._plans[recipient] += acts

    def next_act(self, recipient: str) -> Act:
        plans = self._plans[recipient]
        return plans.pop(0) if plans else Act.ACCEPT

    def hang_up(self) -> None:
        """End every connection, as a server does that is started anew."""
        for each in self.open:
            each.shutdown(socket.SHUT_RDWR)

    def to(self, recipient: str) -> list[Stored]:
        return [mail for mail in self.stored if recipient in mail.recipients]


class _Session(StreamRequestHandler):
    server: SmtpServer
    sender, options, recipients = "", "", cast("list[str]", [])
    act = Act.ACCEPT

    def handle(self) -> None:
        self.server.connections += 1
        if self.server.most is not None and len(self.server.open) >= self.server.most:
            self._say("421 4.7.0 too many connections")
            return
        self.server.open.append(self.connection)
        try:
            self._converse()
        finally:
            self.server.open.remove(self.connection)

    def _converse(self) -> None:
        self._say(self.server.greeting)
        try:
            while line := self.rfile.readline():
                self._in_turn()
                self._command(line.strip())
                if line.upper().startswith(b"QUIT"):
                    self.server.goodbyes += 1
                    return
        except (HungUp, OSError):
            # A reset, not an orderly end: what was not read is thrown away.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _in_turn(self) -> None:
        """Two commands at once are for a server that offers that (RFC 2920 section 3.1); some hang up on others."""
        self.connection.setblocking(False)
        more = cast(BufferedReader, self.rfile).peek(1)
        self.connection.setblocking(True)
        if more and "PIPELINING" not in self.server.offers:
            self._say("554 5.5.0 synchronization error")
            raise HungUp

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            self._say("\r\n".join(["250-tests", *(f"250-{each}" for each in self.server.offers), "250 SIZE"]))
        elif verb == b"MAIL":
            self.sender, self.recipients = _address(line), []
            self.options = line.decode().partition(">")[2].strip()
            self._say("250 sender")
        elif verb == b"RCPT":
            self._recipient(_address(line))
        elif verb == b"DATA":
            self._data()
        else:
            self._say("221 bye" if verb == b"QUIT" else "250 well")

    def _recipient(self, address: str) -> None:
        self.act = self.server.next_act(address)
        if self.act is Act.REFUSE_AT_RCPT:
            self._say("550 5.1.1 nobody here")
        elif self.act is Act.LATER_AT_RCPT:
            self._say("450 4.2.1 come back later")
        else:
            self.recipients = [*self.recipients, address]
            self._say("250 recipient")

    def _data(self) -> None:
        if self.act is Act.HANG_UP_AT_DATA:
            raise HungUp
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
            if not line or self.act is Act.HANG_UP_BEFORE_THE_DOT:
                raise HungUp
        self._end(Stored(self.sender, tuple(self.recipients), b"".join(lines), self.options))

    def _end(self, mail: Stored) -> None:
        if self.act in STORED:
            self.server.stored.append(mail)
        if self.act in {Act.STORE_AND_HANG_UP, Act.DISCARD_AND_HANG_UP}:
            raise HungUp
        if self.act is Act.STORE_AND_STAY_SILENT:
            self.server.done.wait(30)
            raise HungUp
        if self.act is Act.STORE_AND_ANSWER_LATE:
            self.server.done.wait(1.5)
        self._say(ANSWERS.get(self.act, "250 2.0.0 stored"))

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


def _address(line: bytes) -> str:
    found = ADDRESS.search(line)
    return found[1].decode() if found else ""


@contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    """A server that runs in a thread of its own."""
    with SmtpServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
