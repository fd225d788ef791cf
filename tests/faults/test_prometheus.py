"""A real Prometheus reads a real system: every query of the dashboard answers, every alarm can be judged."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from tests.conftest import Person
from tests.contracts.test_alarms import RULES, expressions
from tests.faults.test_alarms import TOKEN, accept
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.servers import free_port
from tests.smtp_server import Act, SmtpServer
from tests.waiting import until
from tests.web_server import WebServer, web_server
from webapi.metrics import book
from webapi.tasks.email_send import Email

pytestmark = [pytest.mark.soak, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
SCRAPES = 6


@pytest.fixture
def app(make_app: Callable[..., Flask], mail: SmtpServer, tmp_path: Path) -> Iterator[Flask]:
    yield make_app(
        MAIL_PORT=mail.port, METRICS_TOKEN=TOKEN, METRICS_PORT=free_port(), METRICS_DIR=str(tmp_path / "metrics")
    )
    book.stop()


class Prometheus:
    """The program on a free port, asked by its HTTP API."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, **query: str) -> Any:
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            found = json.load(answer)
        assert found["status"] == "success"
        return found["data"]

    def answers(self) -> bool:
        try:
            return bool(self.ask("status/buildinfo"))
        except OSError:
            return False


@contextmanager
def prometheus(folder: Path, *ports: int) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed; Debian's package of that name has it")
    job = {
        "job_name": "webapi",
        "authorization": {"credentials": TOKEN},
        "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
    }
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": every, "rule_files": [str(RULES)], "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    server = Prometheus(free_port())
    options = {
        "config.file": folder / "prometheus.yml",
        "storage.tsdb.path": folder / "tsdb",
        "web.listen-address": f"127.0.0.1:{server.port}",
    }
    command = [program, *(f"--{name}={value}" for name, value in options.items())]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(server.answers, seconds=30, what="Prometheus to answer")
        yield server
    finally:
        process.kill()
        process.wait()


def do_some_of_everything(app: Flask, ada: Person, mail: SmtpServer, server: WebServer, folder: Path) -> None:
    for path in ("/healthz", "/login", "/nothing"):
        server.get(path)
    body = json.dumps({"data": 1}).encode()
    headers = {**ada.headers, "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/api/v1/jobs/data.process", body, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        assert answer.status == 202
    mail.plan("refused@example.com", Act.REFUSE_AT_RCPT)
    for to in ("well", "refused"):
        accept(app, ada, "email.send", Email(to=[f"{to}@example.com"], subject="Hello", text="Hello."))
    for kind in ("test.note", "test.broken"):
        accept(app, ada, kind, Note(path=str(folder / kind)))


def test_every_query_of_the_dashboard_answers_and_no_alarm_is_raised_when_all_is_well(
    app: Flask, ada: Person, mail: SmtpServer, start_worker: Callable[..., RealWorker], tmp_path: Path
) -> None:
    start_worker(app)
    with (
        web_server(app, tmp_path / "web.log") as server,
        prometheus(tmp_path, server.port, app.config["METRICS_PORT"]) as asked,
    ):
        until(lambda: len(asked.ask("query", query="up == 1")["result"]) == 2, seconds=30, what="both to be read")
        for _ in range(SCRAPES):  # a rate needs figures that changed while they were read
            before = len(asked.ask("query", query="webapi_version_info[5m]")["result"][0]["values"])
            do_some_of_everything(app, ada, mail, server, tmp_path)
            until(
                lambda before=before: (
                    len(asked.ask("query", query="webapi_version_info[5m]")["result"][0]["values"]) > before
                ),  # type: ignore[misc]
                what="another look",
            )

        def silent() -> list[str]:
            rated = [each.replace("$__rate_interval", "1m") for each in expressions()]
            return [each for each in rated if not asked.ask("query", query=each)["result"]]

        until(lambda: not silent(), seconds=60, what=f"every query to answer: {silent()}")
        rules = [rule for group in asked.ask("rules")["groups"] for rule in group["rules"]]
        assert len(rules) == len(yaml.safe_load(RULES.read_text())["groups"][0]["rules"])
        until(
            lambda: all(rule["health"] == "ok" for rule in asked.ask("rules")["groups"][0]["rules"]),
            what="every alarm to be judged",
        )
        assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []
