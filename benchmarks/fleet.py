"""Two web servers and two workers of two versions of the program, each of which can be started anew."""

from __future__ import annotations

import http.client
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from flask import Flask
from sqlalchemy import select

import webapi.tasks
from tests.next.growing import leave_names
from webapi import create_app
from webapi.config import environment
from webapi.extensions import db
from webapi.local import broker, ports
from webapi.local.drill.database import ledger
from webapi.local.layout import lay_out
from webapi.local.processes import Supervisor
from webapi.local.programs import Program
from webapi.local.scratch import defaults, environment_of
from webapi.models import Worker
from webapi.queue import DECLARATION
from webapi.services import accounts, keys

SLOW = 300.0  # seconds for a part to come up on a machine that is busy with something else
VERSIONS = ("tests.wsgi", "tests.wsgi_next")
KINDS = str(Path("tests/kinds").resolve())


@dataclass
class Fleet:
    """`older` and `newer` are the two versions in this process; `world` and `receipts` are what is outside."""

    older: Flask
    newer: Flask
    owner_id: UUID
    key: str
    world: Path
    receipts: Path
    environment: Mapping[str, str]
    ports: list[int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def bases(self) -> list[str]:
        return [f"http://{ports.HOST}:{port}" for port in self.ports]

    def renew(self, number: int) -> float:
        """Start one worker and one web server anew, in turns, in the other version. Returns the seconds it took."""
        place, version = number % 2, VERSIONS[(number // 2 + 1 + number) % 2]
        began = time.monotonic()
        self.start_web(place, version)
        self.start_worker(place, version)
        return time.monotonic() - began

    def end_with_the_newer(self) -> None:
        for place in (0, 1):
            self.start_worker(place, VERSIONS[1])

    def start_worker(self, place: int, version: str) -> None:
        options = ("-c", "2", "-Q", "default,email,reports", "-n", f"worker{place}@%h", "--loglevel", "WARNING")
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        pid = self._start(f"worker{place}", "celery", "-A", f"{version}:celery", "worker", *options, *quiet)
        _until(lambda: self._at_work(pid), f"worker {place}")

    def start_web(self, place: int, version: str) -> None:
        options = ("--interface", "wsgi", "--host", ports.HOST, "--port", str(self.ports[place]))
        threads = ("--blocking-threads", "16", "--workers-kill-timeout", "10", "--log-level", "warning")
        self._start(f"web{place}", "granian", f"{version}:app", *options, *threads)
        _until(lambda: self._is_ready(self.ports[place]), f"web {place}")

    def _start(self, name: str, *words: str) -> int:
        """Stop the process of that name in order, if there is one, and start its successor."""
        self.stop(name)
        with self.world.with_name(f"{name}.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - a command of ours, and no shell
                (sys.executable, "-m", *words), env=self.environment, stdout=log, stderr=log
            )
        self.processes[name] = process
        return process.pid

    def stop(self, name: str) -> None:
        before = self.processes.pop(name, None)
        if before is not None:
            before.send_signal(signal.SIGTERM)
            before.wait(SLOW)

    def _at_work(self, pid: int) -> bool:
        with self.older.app_context():
            return db.session.scalar(select(Worker.id).where(Worker.pid == pid)) is not None

    def _is_ready(self, port: int) -> bool:
        connection = http.client.HTTPConnection(ports.HOST, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SLOW
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come up")
        time.sleep(0.1)


@contextmanager
def fleet(folder: Path, database: str) -> Iterator[Fleet]:
    """All of it in `folder`, ended with the block."""
    folder.mkdir(parents=True)
    receipts, mail_port = folder / "receipts", ports.free()
    receipts.touch()
    webapi.tasks.__path__.append(KINDS)
    with Supervisor(Path.cwd(), folder / "log", lambda line: None) as supervisor:
        sink = (sys.executable, "-m", "benchmarks.sink", str(receipts), str(mail_port), "--delay", "0.01")
        supervisor.start(Program("sink", sink, environment({})))
        given = {
            "PORT": ports.free(), "DATABASE_URL": ledger(database, folder, supervisor), "MAIL_SERVER": ports.HOST,
            "MAIL_PORT": mail_port, "REQUESTS_PER_MINUTE": 0,
        }  # fmt: skip
        layout = lay_out(folder / "var", given, lambda line: None)
        assert layout.broker is not None
        supervisor.start(layout.broker.program())
        upgrade = (sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade")
        supervisor.run(Program("database", upgrade, environment_of(layout)), SLOW)
        supervisor.until(lambda: broker.answers(layout.settings()["REDIS_URL"]), "valkey", SLOW)
        settings = defaults() | given | dict(layout.chosen)
        there = _fleet(settings, folder, receipts, environment_of(layout))
        try:
            for place in (0, 1):
                there.start_web(place, VERSIONS[0])
                there.start_worker(place, VERSIONS[0])
            yield there
        finally:
            for name in list(there.processes):
                there.stop(name)
            for app in (there.older, there.newer):
                with app.app_context():
                    db.engine.dispose()


def _fleet(settings: Mapping[str, object], folder: Path, receipts: Path, given: Mapping[str, str]) -> Fleet:
    older, newer = create_app(settings), create_app(settings)
    newer.extensions["kinds"]["test.growing"] = getattr(leave_names, DECLARATION)
    world = folder / "world"
    world.touch()
    with older.app_context():
        user = accounts.create("bench@example.com", "Bench", secrets.token_urlsafe(16), verified=True)
        return Fleet(
            older, newer, user.id, keys.create(user, "bench"), world, receipts, given, [ports.free(), ports.free()]
        )
