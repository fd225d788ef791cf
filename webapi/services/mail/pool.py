"""Connections to the mail server, kept from mail to mail: opening one costs more than a mail."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from flask import Flask, current_app

from webapi.errors import Transient
from webapi.services.mail.smtp import Connection, connect

LONGEST_LIFE = 300.0  # seconds; servers and the things between us and them forget old connections
LONGEST_REST = 60.0  # seconds without a mail; RFC 5321 section 4.5.3.2.7 lets a server hang up after five minutes
QUIET = 5.0  # seconds after which a connection is asked whether it still works


class Pool:
    """The idle connections of one process. A job borrows some and gives back those that still work."""

    def __init__(self) -> None:
        self._idle: list[Connection] = []
        self._process = os.getpid()

    @contextlib.contextmanager
    def borrow(self, app: Flask, wanted: int) -> Iterator[list[Connection]]:
        """One connection at least and `wanted` at most, for as many as the server lets in.

        The borrower may put others into the list, or take broken ones out. Raises Transient when there is none.
        """
        lent = self._take(app, wanted)
        try:
            yield lent
        finally:
            for each in lent:
                if each.usable and not each.dirty:
                    self._idle.append(each)
                else:
                    each.quit()

    def _take(self, app: Flask, wanted: int) -> list[Connection]:
        if self._process != os.getpid():  # a fork must not speak on its parent's connections
            self._idle, self._process = [], os.getpid()
        lent: list[Connection] = []
        while self._idle and len(lent) < wanted:
            connection = self._idle.pop()
            if self._fresh(connection):
                lent.append(connection)
            else:
                connection.quit()
        while len(lent) < wanted:
            try:
                lent.append(connect(app.extensions["mail"]))
            except Transient:
                if not lent:
                    raise
                break
        return lent

    def _fresh(self, connection: Connection) -> bool:
        clock = time.monotonic()
        if clock - connection.opened > LONGEST_LIFE or clock - connection.used > LONGEST_REST:
            return False
        return connection.usable and (clock - connection.used < QUIET or connection.noop())

    def close(self) -> None:
        """End the idle connections, as when a process ends."""
        for connection in self._idle:
            connection.quit()
        self._idle = []


def borrowed(wanted: int) -> contextlib.AbstractContextManager[list[Connection]]:
    """Connections of this process for the current app; see `Pool.borrow`."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    pool: Pool = app.extensions.setdefault("smtp", Pool())
    return pool.borrow(app, wanted)
