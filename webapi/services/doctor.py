"""The health of the parts: each with a sentence and, where something is to be done, the command that does it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from webapi.errors import WebapiError
from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, State, Worker
from webapi.models.columns import after, now
from webapi.queue import gates
from webapi.queue.explain import GONE
from webapi.services.mail import pool
from webapi.services.reports import databases
from webapi.services.reports.fetching import Unreachable

LATE = 60.0  # seconds that a due job may wait before somebody should look
SKEW = 2.0  # seconds between this machine's clock and the database's


@dataclass(frozen=True)
class Check:
    """One part. `bad` needs somebody now, `warn` soon."""

    part: str
    verdict: Literal["ok", "warn", "bad"]
    sentence: str
    remedy: str = ""


def examine() -> list[Check]:
    """Look at every part. What needs the database is left out when it is away."""
    database = _database()
    if database.verdict == "bad":
        return [database, _redis(), _files(), _mail()]
    return [database, _clock(), _redis(), _workers(), _waiting(), _pauses(), _effects(), _files(), _mail(), *_sources()]


def _database() -> Check:
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except (SQLAlchemyError, WebapiError) as error:
        return Check("database", "bad", f"It cannot be reached ({type(error).__name__}).", "check DATABASE_URL")
    head = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    if current != head:
        return Check("database", "bad", f"It is at migration {current}, the program at {head}.", "make upgrade")
    return Check("database", "ok", f"{db.engine.dialect.name}, at migration {current}.")


def _clock() -> Check:
    clock: datetime = db.session.execute(select(now())).scalar_one()
    off = (clock - datetime.now(UTC)).total_seconds()
    sentence = f"This machine and the database differ by {abs(off):.1f} s."
    if abs(off) > SKEW:
        return Check("clock", "warn", sentence, "keep both machines' time by NTP; jobs go by the database's")
    return Check("clock", "ok", sentence)


def _redis() -> Check:
    hints = current_app.extensions["hints"]
    if not hints.answers():
        sentence = "It cannot be reached. Jobs are accepted and wait."
        return Check("redis", "bad", sentence, "start it, or check REDIS_URL")
    policy = hints.eviction_policy()
    if policy not in {"noeviction", "unknown"}:
        sentence = f"maxmemory-policy is {policy}: it may throw hints away, which costs time."
        return Check("redis", "warn", sentence, "redis-cli CONFIG SET maxmemory-policy noeviction")
    return Check("redis", "ok", "It answers.")


def _workers() -> Check:
    living = db.session.scalars(select(Worker).where(Worker.seen_at > after(-GONE))).all()
    taken = {queue for worker in living for queue in worker.queues}
    missing = sorted(set(current_app.extensions["queues"]) - taken)
    if missing:
        names = ",".join(missing)
        return Check("workers", "bad", f"No living worker takes: {names}.", f"make worker QUEUES={names}")
    slots = sum(worker.slots for worker in living)
    return Check("workers", "ok", f"{len(living)} with {slots} slots; every queue is taken.")


def _waiting() -> Check:
    count, oldest = db.session.execute(
        select(func.count(), func.min(Job.run_at)).where(Job.state == State.QUEUED)
    ).one()
    if not count:
        return Check("waiting", "ok", "No job waits.")
    clock: datetime = db.session.execute(select(now())).scalar_one()
    age = (clock - oldest).total_seconds()
    sentence = f"{count} jobs are due, the oldest for {age:.0f} s."
    if age > LATE:
        return Check("waiting", "warn", sentence, "flask jobs why JOB_ID says why one of them waits; add workers")
    return Check("waiting", "ok", sentence)


def _pauses() -> Check:
    resting = sorted(gates.paused())
    if resting:
        return Check("kinds", "warn", f"Paused: {', '.join(resting)}.", f"flask kinds resume {resting[0]}")
    return Check("kinds", "ok", "None is paused.")


def _effects() -> Check:
    unknown = db.session.scalar(select(func.count()).where(Effect.state == EffectState.UNKNOWN))
    if unknown:
        sentence = f"{unknown} effects ended without an answer and wait for a person."
        return Check("effects", "warn", sentence, "open /jobs?state=uncertain and settle them")
    return Check("effects", "ok", "None waits for a person.")


def _sources() -> list[Check]:
    return [_source(name) for name in current_app.config["REPORT_SOURCES"]]


def _source(name: str) -> Check:
    part = f"source {name}"
    try:
        powers = databases.powers_of(name)
    except Unreachable:
        return Check(part, "warn", "It cannot be reached; its reports wait.", "check REPORT_SOURCES")
    if powers:
        return Check(part, "bad", f"Its role {powers}.", "give it a role that may SELECT and nothing else")
    return Check(part, "ok", "It answers, and its role can only read.")


def _files() -> Check:
    root = Path(current_app.config["STORAGE_URL"])
    return _tried("files", f"{root} can be written.", f"check STORAGE_URL: {root}", lambda: _write_to(root))


def _write_to(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=root) as file:
        file.write(b"x")


def _mail() -> Check:
    return _tried("mail", "The mail server answers.", "check MAIL_SERVER and MAIL_PORT", _greet)


def _greet() -> None:
    with pool.borrowed(1):
        pass


def _tried(part: str, well: str, remedy: str, attempt: Callable[[], None]) -> Check:
    try:
        attempt()
    except (OSError, WebapiError) as error:
        return Check(part, "bad", str(error), remedy)
    return Check(part, "ok", well)
