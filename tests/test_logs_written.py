"""What a process writes to its log, from whichever library it comes: facts in one line, and no private word."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Person
from tests.processes import ROOT, RealWorker
from tests.waiting import until
from tests.web_server import web_server

# Each says something private in the message of an exception.
WRITER = """
import logging, sys
from structlog import get_logger
from structlog.contextvars import bound_contextvars
from webapi import create_app, logs
from webapi.extensions import db
from webapi.queue import task

CANARY = "canary@private.example"
logs.configure("INFO", sys.argv[1])
log, library = get_logger(), logging.getLogger("some.library")

def fail():
    raise ValueError(CANARY)

with bound_contextvars(request="the-request", job="the-job"):
    log.info("plain", rows=3)
    try:
        try:
            fail()
        except ValueError as error:
            raise KeyError(CANARY) from error
    except KeyError as error:
        log.exception("by structlog")
        log.error("by argument", exc_info=error)
        log.error("by flag", exc_info=True)
        library.exception("by a library")
        library.error("by its flag", exc_info=True)
log.debug("too quiet")
log.info("two\\nlines", field="a\\nb\\u2028c\\x1b[31m")
library.warning("with %s", "arguments")
library.info("with fields", extra={"rows": 4})

app = create_app({"DATABASE_URL": "sqlite://", "REDIS_URL": "redis://127.0.0.1:1/0"})
app.add_url_rule("/broken", view_func=fail)
app.test_client().get("/broken")
app.test_client().get("/readyz")
"""
PLAIN = """
from webapi.queue import Queue
Queue().init_app(app, [], [task("test.plain")(fail)])
app.extensions["celery"].tasks["test.plain"].apply()
"""


@cache
def written(environment: str, more: str = "") -> str:
    command = [sys.executable, "-c", WRITER + more, environment]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


def entries() -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in written("production").splitlines()]
    return {entry["event"]: entry for entry in found}


@pytest.mark.parametrize("environment", ["production", "development"])
def test_no_message_of_an_exception_is_written(environment: str) -> None:
    assert "canary" not in written(environment)


def test_in_production_each_line_is_a_json_object() -> None:
    assert all(isinstance(json.loads(line), dict) for line in written("production").splitlines())


@pytest.mark.parametrize("event", ["by structlog", "by argument", "by flag", "by a library", "by its flag"])
def test_an_exception_is_its_type_and_its_place(event: str) -> None:
    entry = entries()[event]
    assert (entry["level"], entry["error"]) == ("error", "KeyError")
    assert entry["at"][-1].endswith("<module>")
    assert "exception" not in entry


def test_a_fact_has_its_fields_its_level_its_time_and_its_request() -> None:
    entry = entries()["plain"]
    assert (entry["level"], entry["rows"], entry["request"], entry["job"]) == ("info", 3, "the-request", "the-job")
    assert entry["timestamp"].endswith("Z")


def test_what_a_library_says_is_written_alike() -> None:
    found = entries()
    assert found["with arguments"]["level"] == "warning"
    assert found["with fields"]["rows"] == 4


def test_what_is_below_the_level_is_not_written() -> None:
    assert "too quiet" not in written("production")


def test_nobody_forges_a_line_or_paints_the_screen() -> None:
    entry = entries()["two\nlines"]
    assert entry["field"] == "a\nb\u2028c\x1b[31m"
    assert "\x1b[31m" not in written("production")


def test_a_view_that_breaks_is_told_with_its_request() -> None:
    entry = entries()["request failed"]
    assert entry["error"] == "ValueError"
    assert "request" in entry


def test_a_plain_task_that_breaks_tells_no_private_word_either() -> None:
    """Celery writes the exception itself."""
    assert "canary" not in written("production", PLAIN)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_and_its_pool_write_json_too(
    make_app: Callable[..., Flask], ada: Person, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    """Also when a child is killed, of which Celery's pool tells by a logger with a handler of its own."""
    worker = start_worker(make_app(WEBAPI_ENV="production"))
    child = worker.children()[0]
    child.kill()
    until(lambda: "SIGKILL" in worker.output(), what="the pool to tell of it")
    (line,) = [each for each in worker.output().splitlines() if "SIGKILL" in each]
    assert json.loads(line)["level"] == "error"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_web_servers_own_lines_are_json_too(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    log, told = tmp_path / "web.log", ("--log-config", "deploy/granian-logs.json")
    with web_server(make_app(WEBAPI_ENV="production"), log, options=told) as server:
        assert server.get("/healthz") == 200
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(line["event"].startswith("Listening at") for line in lines)
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
