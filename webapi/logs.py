"""Logs are facts: a constant message and fields, as JSON lines in production and aligned text in development."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from webapi import reporting

# Loggers with handlers of their own: those of Celery's pool, and of the web server once it has loaded the app.
APART = ("multiprocessing", "_granian", "granian.access")


def configure(level: str, environment: str) -> None:
    """Set up structlog and the standard library's logging for this process. Called by entry points only."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(environment))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for apart in APART:
        logging.getLogger(apart).handlers[:] = [handler]
    for chatty in ("celery.worker.strategy", "alembic.runtime.migration"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # a hint taken and a hint done; the ledger says more
    # Celery writes the message of what a task raised, which may be private; AppTask says the same without it.
    logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)


def formatter(environment: str = "production") -> logging.Formatter:
    """How a line is written. deploy/granian-logs.json names it for the web server's own process, which makes no app."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if environment == "production"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        reporting.report,
        where_it_failed,
    ]


def where_it_failed(logger: Any, name: str, event: EventDict) -> EventDict:
    """The type and the places of an exception. Its message may hold an address or a body, and stays out."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        event["error"] = type(error).__name__
        event["at"] = [f"{frame.filename.rpartition('/webapi/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return event
