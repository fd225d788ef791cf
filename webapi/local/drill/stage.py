"""`drill`: the stage is set, the drill is run, the table is printed, and nothing is left behind."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask

from webapi import create_app
from webapi.config import Settings
from webapi.errors import ConfigError
from webapi.extensions import db
from webapi.local import ports, servers
from webapi.local.drill.conduct import Drill, Outcome, Scene
from webapi.local.drill.database import ledger
from webapi.local.drill.journal import Journal
from webapi.local.drill.plan import Plan, Size
from webapi.local.drill.report import Report
from webapi.local.drill.sinks import CallSink, MailSink, Manners
from webapi.local.layout import Layout, lay_out, project_folder
from webapi.local.processes import DidNotStart, Stopped, Supervisor
from webapi.local.run import say
from webapi.local.scratch import copy_of, defaults, environment_of
from webapi.local.system import bring_up
from webapi.services import accounts, keys

WORKERS = ("worker-1", "worker-2", "worker-3")
LEASE = 4  # seconds; recovery takes about as long when a whole worker dies
RESTART = 0.2  # seconds until what was killed is started again, however often


def drill(database: str, seed: int, size: Size) -> int:
    """Run one drill. Returns the exit status: 0 only when enough happened and every promise was kept."""
    folder = Path(tempfile.mkdtemp(prefix="webapi-drill-")).resolve()
    try:
        status = _in(folder, database, seed, size)
    except (Stopped, KeyboardInterrupt):
        status = 1
    except ConfigError as error:
        print(error, file=sys.stderr)
        status = 1
    except DidNotStart as error:
        print(error, f"The logs: {folder}", sep="\n", file=sys.stderr)
        return 1
    if status != 0:
        say(f"The logs of the system, the sinks and the client: {folder}")
        return status
    shutil.rmtree(folder)
    return 0


def _in(folder: Path, database: str, seed: int, size: Size) -> int:
    receipts, requests = Journal(folder / "receipts.jsonl"), Journal(folder / "requests.jsonl")
    manners = Manners(seed)
    mails, calls = MailSink(receipts, manners), CallSink(receipts, manners)
    mails.start()
    calls.start()
    began = time.monotonic()
    project = copy_of(project_folder(), folder / "project")
    with Supervisor(project, folder / "log", lambda line: None, longest_pause=RESTART) as supervisor:
        say(f"Starting a system of its own on {database} in {folder}. Seed {seed}.")
        given = _settings(ledger(database, folder, supervisor), mails.port, calls.port)
        layout = _forgetful(lay_out(folder / "var", given, say))
        app = create_app(defaults() | given | dict(layout.chosen))
        scratch = folder / "tmp"  # what a process that is killed leaves behind goes with the rest
        scratch.mkdir()
        environment = {**environment_of(layout), "TMPDIR": str(scratch)}
        servers.start(layout, supervisor, environment)
        bring_up(layout, app, supervisor, environment, WORKERS)
        say(f"Up after {time.monotonic() - began:.0f} s. Work and kills for about {size.seconds:.0f} s.")
        scene = Scene(app, WORKERS, layout.port, _customer(app), requests, receipts)
        plan = Plan(seed, size, set(app.extensions["kinds"]), calls.port)
        outcome = _perform(Drill(plan, scene, supervisor), supervisor)
        _let_go(app)
        ends = list(supervisor.ends)
    mails.stop()
    calls.stop()
    if outcome is None:
        raise Stopped
    report = Report(datetime.now().astimezone(), database, seed, size, time.monotonic() - began, outcome, ends)
    say(f"\n{report}\n")
    return 0 if report.passed else 1


def _perform(performance: Drill, supervisor: Supervisor) -> Outcome | None:
    """The supervisor restarts what dies until the drill is over, or until somebody stops it: then None."""
    performance.start()
    supervisor.watch(performance.over)
    return performance.result() if performance.over.is_set() else None


def _settings(database_url: str, mail_port: int, call_port: int) -> dict[str, Any]:
    """What is decided for this system beside what `lay_out` chooses."""
    given = {
        "PORT": ports.free(),
        "DATABASE_URL": database_url,
        "MAIL_SERVER": ports.HOST,
        "MAIL_PORT": mail_port,
        "LEASE_SECONDS": LEASE,
        "REGISTRATION": "closed",
        "REQUESTS_PER_MINUTE": 0,
    }
    if "CALL_PRIVATE" in Settings.model_fields:
        given["CALL_PRIVATE"] = [f"{ports.HOST}:{call_port}"]
    return given


def _forgetful(layout: Layout) -> Layout:
    """The same with a broker that comes back empty."""
    assert layout.broker is not None
    return dataclasses.replace(layout, broker=dataclasses.replace(layout.broker, durable=False))


def _customer(app: Flask) -> str:
    """Somebody who may submit. Returns their key."""
    with app.app_context():
        user = accounts.create("customer@drill.example.com", "Customer", secrets.token_urlsafe(16), verified=True)
        return keys.create(user, "drill")


def _let_go(app: Flask) -> None:
    """Close our connections: a PostgreSQL that is asked to stop waits for them."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
