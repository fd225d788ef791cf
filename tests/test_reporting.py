"""What Sentry is told: that something broke, where, and of which job. Never a private word."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Person
from tests.http_server import HttpServer, http_server
from tests.kinds.faulty import Note
from tests.processes import ROOT, RealWorker
from tests.waiting import until
from webapi import reporting
from webapi.errors import ConfigError
from webapi.queue import submit

BREAKS = """
import logging, sys
from structlog import get_logger
from webapi import create_app, logs, reporting

logs.configure("INFO", "production")
reporting.start(sys.argv[1], "production")
app = create_app({"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://127.0.0.1:1/0"})

def fail():
    canary = "canary in a variable"
    try:
        raise KeyError("canary@private.example")
    except KeyError as error:
        raise ValueError("canary@private.example") from error

app.add_url_rule("/broken", view_func=fail)
headers = {"X-Request-ID": "the-request", "Cookie": "canary=1", "User-Agent": "canary"}
app.test_client().get("/broken?q=canary", headers=headers)
logging.getLogger("some.library").error("canary@private.example")
get_logger().error("a constant", detail="canary")
get_logger().warning("no error")
__import__("sentry_sdk").flush(10)
"""


@pytest.fixture
def sentry() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


def dsn(sentry: HttpServer) -> str:
    return f"http://key@{sentry.place}/1"


def events(sentry: HttpServer) -> list[dict[str, Any]]:
    """The events that were told, from their envelopes. Nothing private may be in any byte of these."""
    found = []
    for request in sentry.received:
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        assert b"canary" not in body
        assert b"private" not in body
        lines = body.splitlines()
        found += [
            json.loads(lines[at + 1]) for at in range(1, len(lines) - 1, 2) if json.loads(lines[at])["type"] == "event"
        ]
    return found


def test_errors_are_told_by_their_type_their_place_and_their_request(sentry: HttpServer) -> None:
    subprocess.run([sys.executable, "-c", BREAKS, dsn(sentry)], cwd=ROOT, check=True, timeout=60, capture_output=True)
    by_name = {event["tags"]["event"]: event for event in events(sentry)}
    assert set(by_name) == {"request failed", "logged by some.library", "a constant"}
    failed = by_name["request failed"]
    assert failed["tags"]["request"] == "the-request"
    assert [each["type"] for each in failed["exception"]["values"]] == ["KeyError", "ValueError"]
    frames = failed["exception"]["values"][1]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "fail"
    assert not {"request", "user", "breadcrumbs", "extra", "server_name"} & set(failed)
    assert by_name["a constant"]["message"] == "a constant"


@pytest.mark.soak
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_workers_children_tell_of_their_jobs(
    make_app: Callable[..., Flask], ada: Person, sentry: HttpServer, start_worker: Callable[..., RealWorker],
    tmp_path: Path,
) -> None:  # fmt: skip
    app = make_app(SENTRY_DSN=dsn(sentry))
    start_worker(app)
    with app.app_context():
        job_id = submit("test.broken", Note(path=str(tmp_path)), owner_id=ada.id).id
    until(lambda: sentry.received, what="a report")
    (event,) = events(sentry)
    told = {"job": str(job_id), "kind": "test.broken", "attempt": "1", "event": "attempt failed"}
    assert told.items() <= event["tags"].items()
    assert event["exception"]["values"][0]["type"] == "ValueError"


def test_a_dsn_without_the_library_is_refused_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(ConfigError, match=r"pip install 'webapi\[sentry\]'"):
        reporting.start("http://key@127.0.0.1:1/1", "production")
    reporting.start(None, "production")
