"""The logs of attempts: what is logged in the course of one, by whichever library, is kept in SQL for its owner.

They are written with the attempt's verdict, in its fenced transaction, and at heartbeats: a worker that is killed
loses what was said since the last one. An attempt that says nothing costs no statement. A line that is for the
ledger itself (a job began, a job ended) is in the timeline already and is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from structlog import get_logger

from webapi.logs import where_it_failed
from webapi.models import AttemptLog
from webapi.models.columns import now
from webapi.models.transaction import after_commit, writing
from webapi.queue import blots, seals
from webapi.queue.attempt import Attempt, current

log = get_logger()

QUIET = ("webapi.queue.", "sqlalchemy.", "celery.", "kombu.")  # of these only warnings and errors
STANDARD = {*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName"}
KNOWN = {"event", "level", "timestamp", "job", "kind", "attempt", "request", "_record", "_from_structlog"}


class Catcher(logging.Handler):
    """Gives each record to the attempt in whose course it was made; others, and those of other threads, to nobody."""

    def emit(self, record: logging.LogRecord) -> None:
        attempt = current()
        if attempt is None or (record.levelno < logging.WARNING and record.name.startswith(QUIET)):
            return
        try:
            attempt.journal.add(record.created, record.levelname.lower(), record.name, _words(record))
        except Exception:  # noqa: BLE001 - what cannot be written down must not end the job
            self.handleError(record)


_catcher = Catcher(logging.INFO)


def listen() -> None:
    """Make sure that records come here. Whoever configures logging later replaces the root's handlers."""
    root = logging.getLogger()
    if _catcher not in root.handlers:
        root.addHandler(_catcher)


def save(session: Session, attempt: Attempt) -> None:
    """Write what is not written yet, in the transaction of `session`."""
    if not attempt.journal.unsaved:
        return
    kept = attempt.journal.read()
    words = blots.spellings([*blots.configured(current_app.config), *_secrets(attempt)])
    lines = [
        {
            "at": line.moment,
            "level": line.level,
            "logger": line.logger,
            "text": blots.without_secrets(line.text, words, cut=line.cut) + ("…" if line.cut else ""),
        }
        for line in kept.lines
    ]
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"lines": lines, "left_out": kept.left_out, "changed_at": now()}
    session.execute(
        insert(AttemptLog)
        .values(job_id=attempt.job_id, attempt=attempt.number, **values)
        .on_conflict_do_update(index_elements=[AttemptLog.job_id, AttemptLog.attempt], set_=values)
    )
    after_commit(lambda: attempt.journal.saved(kept.version))


def keep(attempts: Sequence[Attempt]) -> None:
    """Write what is not written yet, in a transaction of its own. When that fails, the next beat tries again."""
    unsaved = [attempt for attempt in attempts if attempt.journal.unsaved]
    if not unsaved:
        return
    try:
        with writing() as session:
            for attempt in unsaved:
                save(session, attempt)
    except SQLAlchemyError as error:
        log.warning("logs of attempts not kept", attempts=len(unsaved), error=type(error).__name__)


def _secrets(attempt: Attempt) -> list[str]:
    try:
        return seals.secrets(attempt.kind.payload, attempt.payload, attempt.owner_id)
    except seals.Unopenable:
        return []  # nobody could open them, so nobody could say them


def _words(record: logging.LogRecord) -> str:
    """The message and its fields; of an exception, what it is and where it came from."""
    if isinstance(record.msg, dict):
        event: dict[str, Any] = dict(record.msg)
    else:
        fields = {name: value for name, value in vars(record).items() if name not in STANDARD}
        event = {**fields, "event": record.getMessage(), "exc_info": record.exc_info}
        where_it_failed(None, "", event)
    said = [f"{name}={value}" for name, value in event.items() if name not in KNOWN]
    return " ".join([str(event.get("event", "")), *said])
