"""Pooled connections to PostgreSQL that may have died at rest, told without a round trip for each transaction.

A server that ends, or that somebody tells to end a connection, says so on it: then there is something to read where
nothing was asked. After a second without use a connection is asked, for the way to the server may be cut in silence.
"""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

SURE = 1.0  # seconds of rest after which a connection that is quiet is asked all the same
SINCE = "rests_since"


def watch(engine: Engine) -> None:
    """Replace what died at rest, and all that rested with it, before anybody uses it."""
    dbapi = engine.dialect.loaded_dbapi
    assert dbapi is not None

    def wake(connection: Any, record: Any, proxy: Any) -> None:
        since = record.info.get(SINCE)
        if since is None:  # it is new; were it asked too, a second failure would be told as no error of the database
            return
        if time.monotonic() - since > SURE or _said_something(connection):
            try:
                _ask(connection)
            except dbapi.Error:
                raise InvalidatePoolError from None

    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", wake)


def _rest(connection: Any, record: Any) -> None:
    record.info[SINCE] = time.monotonic()


def _said_something(connection: Any) -> bool:
    if connection.closed:
        return True
    poll = select.poll()  # unlike select() it takes any descriptor
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _ask(connection: Any) -> None:
    """A round trip. A time limit that strikes meanwhile passes through, and the pool gives the connection up.

    The dialect's own ping changes a setting of the connection afterwards, which fails on one that was broken off, and
    hides the time limit.
    """
    connection.execute("SELECT 1")
    connection.rollback()
