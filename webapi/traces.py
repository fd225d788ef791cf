"""Traces by OpenTelemetry, when OTEL_EXPORTER_OTLP_ENDPOINT is set; the extra `otel` brings the library.

One trace leads from a request through the hint and the attempts to the mail server, and nothing is stored or sent for
it: the trace's id follows from the request's id, which every job keeps, and the span of an acceptance from the job's.
docs/decisions/0009-traces-follow-from-ids.md says why.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Flask

from webapi.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from webapi.spans import Tracer

spans: Any = None  # the module that needs the library, once traces are wanted: the library takes 7 MB
_NOTHING = nullcontext()
_tracer: Tracer | None = None
_process = 0


def start(app: Flask, *engines: Engine) -> None:
    """Trace what this process does, unless nobody wants traces. A forked process starts anew: the sender is a thread.

    Raises ConfigError when they are wanted and the library is not there.
    """
    global _tracer, _process  # noqa: PLW0603 - a process has one tracer, as it has one log
    endpoint: str | None = app.config["OTEL_EXPORTER_OTLP_ENDPOINT"]
    if _process == os.getpid():
        return
    _process = os.getpid()
    if endpoint is not None:
        check(app)
        _tracer = spans.Tracer(endpoint, engines)


def check(app: Flask) -> None:
    """Raises ConfigError when traces are wanted and the library is not there."""
    global spans  # noqa: PLW0603 - as above
    if app.config["OTEL_EXPORTER_OTLP_ENDPOINT"] is None:
        return
    try:
        spans = import_module("webapi.spans")
    except ImportError:
        raise ConfigError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the library is not installed: pip install 'webapi[otel]'."
        ) from None


def stop() -> None:
    """Send what is left, and trace no more."""
    global _tracer, _process
    if _tracer is not None:
        _tracer.stop()
    _tracer, _process = None, 0


def request_id(traceparent: str | None) -> str | None:
    """The id for a request that came with none of its own, if its asker traces it."""
    return _tracer.trace_asked(traceparent) if _tracer is not None and traceparent else None


def request(request_id: str, traceparent: str | None, method: str) -> AbstractContextManager[Any]:
    """Around the answering of a request."""
    return _NOTHING if _tracer is None else _tracer.request(request_id, traceparent, method)


def answered(route: str, status: int) -> None:
    """What became of the request around this call."""
    if _tracer is not None:
        _tracer.answered(route, status)


def accepting(job_id: UUID, kind: str) -> AbstractContextManager[Any]:
    """Around the acceptance of a job, or of a batch by any of its jobs."""
    return _NOTHING if _tracer is None else _tracer.accepting(job_id, kind)


def attempt(job_id: UUID, request_id: str | None, kind: str, number: int) -> AbstractContextManager[Any]:
    """Around an attempt."""
    return _NOTHING if _tracer is None else _tracer.attempt(job_id, request_id, kind, number)


def step(name: str, **counts: int) -> AbstractContextManager[Any]:
    """Around something that takes time: `smtp`, `hints`. Figures only, never what or whom it is about."""
    return _NOTHING if _tracer is None else _tracer.step(name, counts)
