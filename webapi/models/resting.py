"""Pooled connections to PostgreSQL that may have died at rest, told without a round trip for each transaction.

A server that ends, or that somebody tells to end a connection, says so on it: then there is something to read where
nothing was asked. Whoever was silently cut off is found by a ping, after a second without use.
"""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.exc import InvalidatePoolError

SURE = 1.0  # seconds of rest after which a connection that is quiet is pinged all the same
SINCE = "rests_since"


def watch(engine: Engine) -> None:
    """Replace what died at rest, and all that rested with it, before anybody uses it."""

    def wake(connection: Any, record: Any, proxy: Any) -> None:
        rested = time.monotonic() - record.info.get(SINCE, time.monotonic())  # one that is new has not rested
        if (rested > SURE or _said_something(connection)) and not _answers(engine.dialect, connection):
            raise InvalidatePoolError

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


def _answers(dialect: Dialect, connection: Any) -> bool:
    assert dialect.loaded_dbapi is not None
    try:
        return dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        return False
