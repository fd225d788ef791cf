"""The whole system, brought up part by part: broker, inbox, database, web, worker."""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from webapi.extensions import db
from webapi.local import broker, ports
from webapi.local.layout import Layout
from webapi.local.processes import Supervisor
from webapi.local.programs import Program
from webapi.models import Worker, revisions

SLOW = 60.0  # seconds for a part to come up on a machine that is busy with something else
ANSWER = 5.0  # seconds for a server that runs already
CONCURRENCY = 4  # jobs at a time, in each worker
WORKERS = ("worker",)


def bring_up(
    layout: Layout,
    app: Flask,
    supervisor: Supervisor,
    environment: Mapping[str, str],
    workers: Sequence[str] = WORKERS,
    concurrency: int = CONCURRENCY,
) -> None:
    """Make the database ready, start the workers, and wait for every part. The servers were started before.

    `app` is this process's own, with the settings of the system. Raises Stopped and DidNotStart.
    """
    if not _is_migrated(app):
        supervisor.run(
            Program("database", (sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"), environment), SLOW
        )
    where, patience = ("the server at REDIS_URL", ANSWER) if layout.broker is None else ("valkey", SLOW)
    supervisor.until(lambda: broker.answers(app.config["REDIS_URL"]), f"{where} to answer", patience)
    pids = [supervisor.start(_worker(name, app, environment, concurrency)) for name in workers]
    if layout.mail_port is not None:
        port = layout.mail_port
        supervisor.until(lambda: ports.answers(port), "inbox to take mail", SLOW)
    supervisor.until(lambda: _is_ready(layout.port), "web to answer", SLOW)
    for name, pid in zip(workers, pids, strict=True):
        supervisor.until(partial(_is_at_work, app, pid), f"{name} to be ready", SLOW)


def _is_migrated(app: Flask) -> bool:
    """Then no process has to load for it. A database that cannot be asked is for that process to complain of."""
    with app.app_context():
        try:
            with db.engine.connect() as connection:
                return revisions.is_ready(connection, app.extensions["migrate"].directory)
        except SQLAlchemyError:
            return False


def _worker(name: str, app: Flask, environment: Mapping[str, str], concurrency: int) -> Program:
    queues = ",".join(app.extensions["queues"])
    options = {"-c": concurrency, "-Q": queues, "-n": f"{name}@%h", "--loglevel": "WARNING"}
    words = (str(word) for option in options.items() for word in option)
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Program(name, (sys.executable, "-m", "celery", "-A", "wsgi:celery", "worker", *words, *quiet), environment)


def _is_ready(port: int) -> bool:
    """Whether the web is there with everything that it needs. No proxy of the environment is asked."""
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=ANSWER)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_at_work(app: Flask, pid: int) -> bool:
    """Whether the worker has written of itself into the ledger, which it does once it can take jobs."""
    mine = select(Worker.id).where(Worker.host == socket.gethostname(), Worker.pid == pid)
    with app.app_context():
        return db.session.scalar(mine) is not None
