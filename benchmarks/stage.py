"""A whole system of its own for a benchmark, on either database, and somebody who uses it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from flask import Flask

from benchmarks import catalogue
from webapi import create_app
from webapi.config import environment
from webapi.extensions import db
from webapi.local import ports, servers
from webapi.local.drill.database import ledger
from webapi.local.layout import lay_out
from webapi.local.processes import Supervisor
from webapi.local.programs import Program
from webapi.local.scratch import copy_of, defaults, environment_of
from webapi.local.system import WORKERS, bring_up
from webapi.services import accounts, keys

SLOW = 30.0  # seconds for a sink to come up


@dataclass
class Stage:
    """A running system: its app (in this process), its address, a key, and the log of its sink."""

    app: Flask
    base: str
    key: str
    receipts: Path
    mail_port: int
    supervisor: Supervisor

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    def post(self, path: str, *, body: bytes | None = None, json: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = urllib3.request(
            "POST", f"{self.base}/api/v1{path}", headers=headers, body=body, json=json, retries=False
        )
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {answer.data[:500]!r}")
        return answer.json()


@contextmanager
def stage(
    folder: Path,
    database: str,
    *,
    concurrency: int,
    delay: float = 0.0,
    workers: Sequence[str] = WORKERS,
    **settings: Any,
) -> Iterator[Stage]:
    """Bring everything up in `folder`, with the kinds of benchmarks/kinds too; all of it ends with the block."""
    folder.mkdir(parents=True)
    receipts, mail_port = folder / "receipts", ports.free()
    receipts.touch()
    project = copy_of(Path.cwd(), folder / "project")
    (project / "wsgi.py").unlink()
    (project / "wsgi.py").symlink_to(Path(__file__).with_name("wsgi.py"))
    with Supervisor(project, folder / "log", lambda line: None, longest_pause=0.2) as supervisor:
        command = (sys.executable, "-m", "benchmarks.sink", str(receipts), str(mail_port), "--delay", str(delay))
        supervisor.start(Program("sink", command, environment({})))
        supervisor.until(lambda: ports.answers(mail_port), "sink to take mail", SLOW)
        given = {
            "PORT": ports.free(),
            "DATABASE_URL": ledger(database, folder, supervisor),
            "MAIL_SERVER": ports.HOST,
            "MAIL_PORT": mail_port,
            "REGISTRATION": "closed",
            "REQUESTS_PER_MINUTE": 0,
            **settings,
        }
        layout = lay_out(folder / "var", given, lambda line: None)
        catalogue.add()
        app = create_app(defaults() | given | dict(layout.chosen))
        servers.start(layout, supervisor, environment_of(layout))
        bring_up(layout, app, supervisor, environment_of(layout), workers, concurrency)
        with app.app_context():
            user = accounts.create("bench@example.com", "Bench", secrets.token_urlsafe(16), verified=True)
            key = keys.create(user, "bench")
        yield Stage(app, f"http://{ports.HOST}:{layout.port}", key, receipts, mail_port, supervisor)
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
