"""A secret header goes through every door to the service that it is for, and lies plainly nowhere on its way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.blueprints.site import Browser
from tests.conftest import Person
from tests.databases import SQLITE_IN_THE_SOAK
from tests.http_server import Act, HttpServer
from tests.processes import RealWorker
from tests.servers import Broker
from tests.waiting import until
from webapi.extensions import db
from webapi.models import FINAL, Job, Schedule
from webapi.models.columns import after
from webapi.models.transaction import writing

CANARY = "canary-7Qx/92=="
HEADERS = {"Authorization": f"Bearer {CANARY}"}
WHEN = {"cron": "0 0 1 1 *", "timezone": "UTC"}


@pytest.fixture
def app(make_app: Callable[..., Flask], service: HttpServer) -> Flask:
    return make_app(CALL_PRIVATE=[service.place], LOG_LEVEL="DEBUG")


@contextmanager
def overheard(broker: Broker) -> Iterator[list[str]]:
    """Every command that Redis is given meanwhile."""
    commands: list[str] = []
    with broker.client().monitor() as monitor:  # type: ignore[no-untyped-call]
        monitor.connection._sock.settimeout(None)

        def listen() -> None:
            for command in monitor.listen():
                commands.append(str(command))
                if "the end of the test" in commands[-1]:
                    return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield commands
        broker.client().echo("the end of the test")
        thread.join(10)
        assert not thread.is_alive()


def through_every_door(app: Flask, ada: Person, url: str) -> int:
    """Calls by API, by form, by command and by schedules. Returns how many."""
    program, browser = app.test_client(), Browser(app, ada)
    secret = json.dumps(HEADERS)
    call: dict[str, Any] = {"url": url, "secret_headers": HEADERS}
    once = {**ada.headers, "Idempotency-Key": "a-key-for-canaries"}
    assert program.post("/api/v1/jobs/http.call", json=call, headers=once).status_code == 202
    shown = {"url": url, "headers": HEADERS}  # where somebody does not know better
    assert program.post("/api/v1/jobs/http.call", json=shown, headers=ada.headers).status_code == 202
    typed = {"url": url, "method": "POST", "secret_headers": secret, "nonce": "0" * 32}
    assert browser.post("/new/http.call", typed).status_code == 303
    options = ["--owner", ada.email, "--url", url, "--secret-headers", secret]
    ran = app.test_cli_runner().invoke(args=["jobs", "submit", "http.call", *options])
    assert ran.exit_code == 0, ran.output
    plan = {"name": "canary", "kind": "http.call", "payload": call, **WHEN}
    path = program.post("/api/v1/schedules", json=plan, headers=ada.headers).location
    edited = {**typed, "secret_headers": "", "version": "1", **{f"when-{name}": text for name, text in WHEN.items()}}
    page = str(path).removeprefix("/api/v1")
    assert browser.post(f"{page}/edit", {**edited, "when-name": "canary", "when-catchup": "all"}).status_code == 303
    assert browser.post(f"{page}/run").status_code == 303
    with app.app_context(), writing() as session:
        session.execute(update(Schedule).values(next_at=after(-1)))
    return 6


def all_rows() -> str:
    return " ".join(str(row) for table in db.metadata.sorted_tables for row in db.session.execute(select(table)))


@SQLITE_IN_THE_SOAK
def test_a_secret_lies_in_no_table_no_log_and_no_redis(
    app: Flask, ada: Person, service: HttpServer, broker: Broker, start_worker: Callable[..., RealWorker],
    capfd: pytest.CaptureFixture[str], tmp_path: Any,
) -> None:  # fmt: skip
    later = Act(503, (("Retry-After", "0"), ("Location", f"/{CANARY}")), does="echo")
    service.plan(later, Act(404, does="echo"), Act(does="hang up", stores=False), *[Act(does="echo")] * 20)
    with overheard(broker) as commands:
        worker = start_worker(app)
        count = through_every_door(app, ada, service.url())

        def over() -> bool:
            with app.app_context():
                with writing() as session:
                    session.execute(update(Job).where(Job.state == "retrying").values(run_at=after(0)))
                done = select(func.count()).where(Job.state.in_(FINAL))
                return db.session.scalar(done) == count

        until(over, seconds=40, what=f"the calls to be over; see {worker.log}")
        worker.stop()
    assert {request.headers["authorization"] for request in service.received} == {f"Bearer {CANARY}"}
    assert len(service.received) == count + 2
    with app.app_context():
        rows = all_rows()
        assert "gAAAA" in rows, "what is sealed is there"
    out = capfd.readouterr()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("webapi.db*")).decode("latin-1")
    written = {"tables": rows, "files": files, "log": worker.output(), "web": out.out + out.err}
    heard = " ".join(commands)
    assert "http.call" in heard
    left = " ".join(str(broker.client().dump(key)) for key in broker.client().scan_iter())
    for where, text in {**written, "commands": heard, "Redis": left}.items():
        assert CANARY not in text, where
        assert "canary-7Qx" not in text, where
