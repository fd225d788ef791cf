"""The parts that the program stands on: whether each answers, how fast, and what to do where one does not."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Literal

from flask import current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapi.errors import WebapiError
from webapi.extensions import db
from webapi.models import revisions
from webapi.queue.files import store
from webapi.services.mail import pool
from webapi.services.reports import databases
from webapi.services.reports.fetching import Unreachable

SKEW = 2.0  # seconds between this machine's clock and the database's
SLOW = 0.5  # seconds; a part that takes longer to answer holds up every request
FAR = 5.0  # seconds; the same for a store over a network, of which several things are asked
LOW, LEAST = (0.10, 1e9), (0.02, 2e8)  # of a disk: the free share and the free bytes below which it is low, or too low


@dataclass(frozen=True)
class Check:
    """One part. `bad` needs somebody now, `warn` soon. `seconds` is how long it took to answer, if that was asked."""

    part: str
    verdict: Literal["ok", "warn", "bad"]
    sentence: str
    remedy: str = ""
    seconds: float | None = None


class Watch:
    """How long something took."""

    seconds = 0.0


@contextmanager
def watch() -> Iterator[Watch]:
    taken, began = Watch(), time.monotonic()
    try:
        yield taken
    finally:
        taken.seconds = time.monotonic() - began


def database() -> Check:
    """Whether it answers and has the tables that this version of the program wants."""
    try:
        with db.engine.connect() as connection, watch() as taken:
            connection.execute(text("SELECT 1"))
            current = revisions.current(connection)
            broken = revisions.invalid_indexes(connection)
    except (SQLAlchemyError, WebapiError) as error:
        return Check("database", "bad", f"It cannot be reached ({type(error).__name__}).", "check DATABASE_URL")
    head = _head(current_app.extensions["migrate"].directory)
    if current != head:
        return Check("database", "bad", f"It is at migration {current}, the program at {head}.", "make upgrade")
    if broken:
        sentence = f"The building of {', '.join(broken)} was cut short, so that no query uses it."
        return Check("database", "warn", sentence, "make upgrade, which builds it again")
    return unless_slow(Check("database", "ok", f"{db.engine.dialect.name}, at migration {current}.", "", taken.seconds))


@cache
def _head(directory: str) -> str:
    return revisions.newest(directory)


def clock(theirs: datetime, ours: datetime) -> Check:
    """Whether this machine's clock agrees with the database's."""
    off = abs((theirs - ours).total_seconds())
    sentence = f"This machine and the database differ by {off:.1f} s."
    if off > SKEW:
        return Check("clock", "warn", sentence, "keep both machines' time by NTP; jobs go by the database's")
    return Check("clock", "ok", sentence)


def files() -> Check:
    """Whether a file can be kept where files are kept."""
    where = store().where
    most = FAR if store().remote else SLOW
    return _tried("files", f"{where} can be written.", f"check STORAGE_URL: {where}", store().check, most)


def disk() -> Check:
    """How much room is left where files are written."""
    root = store().root
    try:
        used = shutil.disk_usage(store().incoming())
    except OSError as error:
        return Check("disk", "bad", f"{error.strerror}: {root}.", f"check STORAGE_URL and SCRATCH_PATH: {root}")
    return room(used.total, used.free)


def room(total: int, free: int) -> Check:
    """What so many free bytes of so many mean."""
    sentence = f"{free / 1e9:,.1f} of {total / 1e9:,.1f} GB are free."
    remedy = "free some, or move STORAGE_URL (SCRATCH_PATH) to a larger disk; jobs that write files wait until then"
    for verdict, (share, least) in (("bad", LEAST), ("warn", LOW)):
        if free < least or free < share * total:
            return Check("disk", verdict, sentence, remedy)  # type: ignore[arg-type]
    return Check("disk", "ok", sentence)


def mail() -> Check:
    """Whether the mail server greets us. This may take as long as it takes to open a connection."""
    return _tried("mail", "The mail server answers.", "check MAIL_SERVER and MAIL_PORT", _greet)


def _greet() -> None:
    with pool.borrowed(1):
        pass


def sources() -> list[Check]:
    """Whether each database in REPORT_SOURCES answers, and its role can only read."""
    return [_source(name) for name in current_app.config["REPORT_SOURCES"]]


def _source(name: str) -> Check:
    part = f"source {name}"
    try:
        with watch() as taken:
            powers = databases.powers_of(name)
    except Unreachable:
        return Check(part, "warn", "It cannot be reached; its reports wait.", "check REPORT_SOURCES")
    except WebapiError as error:
        return Check(part, "bad", error.message, "check REPORT_SOURCES")
    if powers:
        return Check(part, "bad", f"Its role {powers}.", "give it a role that may SELECT and nothing else")
    return Check(part, "ok", "It answers, and its role can only read.", "", taken.seconds)


def _tried(part: str, well: str, remedy: str, attempt: Callable[[], None], most: float = SLOW) -> Check:
    try:
        with watch() as taken:
            attempt()
    except (OSError, WebapiError) as error:
        return Check(part, "bad", str(error), remedy)
    return unless_slow(Check(part, "ok", well, "", taken.seconds), most)


def unless_slow(check: Check, most: float = SLOW) -> Check:
    """What answers, but so late that it holds others up."""
    if check.seconds is None or check.seconds <= most:
        return check
    remedy = "look at the load of the machine that it runs on"
    return replace(check, verdict="warn", sentence=f"{check.sentence} It took long to answer.", remedy=remedy)
