"""What a worker looks at before its first message: a wrong setting ends it with a sentence."""

from __future__ import annotations

from typing import Any

from celery import signals
from flask import Flask
from structlog import get_logger

from webapi import traces
from webapi.brokers import CLUSTER
from webapi.errors import ConfigError, StoreAway
from webapi.queue.children import guard_forks
from webapi.queue.files import Store
from webapi.queue.hints import Hints
from webapi.queue.metrics_server import count
from webapi.queue.servers import Server
from webapi.queue.settings import WORKER_TRANSPORT, broker_settings

log = get_logger()


def check_kinds(app: Flask, queues: set[str]) -> None:
    """Ends the program with a sentence when a kind of these queues must not be worked as it is configured."""
    with app.app_context():
        for kind in app.extensions["kinds"].values():
            if kind.ready is None or kind.queue not in queues:
                continue
            try:
                kind.ready()
            except ConfigError as error:
                raise SystemExit(error.message) from None


def check_files(app: Flask) -> None:
    """Ends a program in production that could keep no file; one whose store is only away goes on, and waits for it."""
    if app.config["WEBAPI_ENV"] != "production":
        return
    kept: Store = app.extensions["files"]
    try:
        kept.check()
    except ConfigError as error:
        raise SystemExit(error.message) from None
    except (OSError, StoreAway) as error:
        log.warning("files cannot be kept now", error=str(error))


def server_of(app: Flask, queues: set[str]) -> Server:
    """The Redis from which these queues are consumed. Ends the program with a sentence when there is no such one."""
    hints: Hints = app.extensions["hints"]
    found = {hints.at(queue): queue for queue in sorted(queues)}
    if len(found) > 1:
        apart = {server: sorted(each for each in queues if hints.at(each) is server) for server in found}
        commands = "; ".join(f"make worker QUEUES={','.join(mine)}" for mine in apart.values())
        raise SystemExit(f"These queues lie on {len(found)} Redis servers, and a worker takes from one: {commands}")
    (server,) = found
    if server.in_cluster():
        raise SystemExit(f"{server.setting}: {CLUSTER}.")
    return server


def listen_at(celery: Any, server: Server) -> None:
    """Let the worker take its messages there. Ends the program with a sentence when the environment says otherwise."""
    settings = broker_settings(server.url, WORKER_TRANSPORT)
    celery.conf.update(settings)
    if celery.conf.broker_read_url != settings["broker_url"]:
        raise SystemExit(f"Celery would not listen at {server.setting}: unset CELERY_BROKER_URL and its like.")


def ready_to_fork(app: Flask) -> None:
    """Count, and guard the forks, in this order: what is arranged last is locked first, and the relay counts during its
    passes. A fork that waited for the pass with the lock of the counts in its hand would wait for ever."""
    count(app)
    guard_forks()


def trace(app: Flask) -> None:
    """Ends the program with a sentence when traces are wanted and cannot be had. Children send their last ones."""
    try:
        traces.check(app)
    except ConfigError as error:
        raise SystemExit(error.message) from None
    signals.worker_process_shutdown.connect(_stop_tracing)


def _stop_tracing(**_: Any) -> None:
    traces.stop()
