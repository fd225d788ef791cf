"""What a Celery worker of ours does besides taking messages: it runs the relay and says that it lives."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import bootsteps
from celery.worker import state as celery_state
from flask import Flask
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.models import Worker
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import starting
from webapi.queue.children import share_stop, worker_id
from webapi.queue.drain import drain
from webapi.queue.metrics_server import serve
from webapi.queue.relay import Relay
from webapi.queue.watchdog import Watchdog
from webapi.version import VERSION

STOP_TIMEOUT = 10.0  # seconds for the last pass of the relay

HELLO_INTERVAL = 5.0  # seconds between two writes of a worker about itself

log = get_logger()


class Pulse:
    """A file whose age says that the relay turns, and whose content, that its last pass came to its end.

    It is for a probe that must cost nothing: a file's age needs no Python. It does not depend on the pool, so a worker
    whose slots are all busy lives, nor on the database, so one that waits for it lives too.
    """

    def __init__(self, path: str | None) -> None:
        self._path = Path(path) if path else None
        self._whole = False

    def begin(self) -> None:
        """A pass begins: `ok` when the one before went through, else nothing."""
        if self._path:
            try:
                self._path.write_text("ok\n" if self._whole else "")
            except OSError as error:
                log.warning("cannot write ALIVE_PATH", error=type(error).__name__)
        self._whole = False

    def end(self) -> None:
        """Every step of the pass went through."""
        self._whole = True


class WorkerRelay(Relay):
    """The relay inside a worker; it also renews the worker's row."""

    def __init__(self, app: Flask, slots: int, queues: list[str]) -> None:
        super().__init__(app)
        self._id = UUID(worker_id(app))
        self._watchdog = Watchdog(app, slots, queues)
        self._pulse = Pulse(app.config["ALIVE_PATH"])
        self._slots = slots
        self._queues = queues
        self._seen_hints = 0
        self._next_hello = 0.0

    def steps(self) -> list[Callable[[], None]]:
        return [self._pulse.begin, self._say_hello, *super().steps(), self._watchdog.look, self._pulse.end]

    def say_goodbye(self) -> None:
        with self._app.app_context(), writing() as session:
            session.execute(delete(Worker).where(Worker.id == self._id))

    def _say_hello(self) -> None:
        if time.monotonic() < self._next_hello:
            return
        self._next_hello = time.monotonic() + HELLO_INTERVAL
        hints = sum(celery_state.total_count.values())
        values: dict[str, Any] = {"seen_at": now(), "busy": len(celery_state.active_requests)}
        if hints > self._seen_hints:
            values["last_hint_at"] = now()
            self._seen_hints = hints
        with writing() as session:
            found = session.execute(update(Worker).where(Worker.id == self._id).values(**values))
            if found.rowcount == 0:  # type: ignore[attr-defined]
                fixed = {
                    "id": self._id,
                    "host": socket.gethostname(),
                    "pid": os.getpid(),
                    "slots": self._slots,
                    "queues": self._queues,
                    "version": VERSION,
                    "kinds": {kind.name: kind.version for kind in self._app.extensions["kinds"].values()},
                }
                session.execute(insert(Worker).values(**fixed, **values))


class RelayStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts the relay once the pool has forked, and stops it before the pool goes and after the jobs have ended."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        app: Flask = worker.app.flask_app
        queues = set(worker.app.amqp.queues.consume_from)
        starting.listen_at(worker.app, starting.server_of(app, queues))
        worker_id(app)  # before the fork: the children's leases name it
        share_stop(app)
        starting.ready_to_fork(app)
        starting.trace(app)
        starting.check_files(app)
        starting.check_kinds(app, queues)

    def start(self, worker: Any) -> None:
        queues = sorted(worker.app.amqp.queues.consume_from)
        self.relay = WorkerRelay(worker.app.flask_app, worker.concurrency, queues)
        self.thread = threading.Thread(target=self.relay.run, name="relay", daemon=True)
        self.thread.start()
        serve(worker.app.flask_app)

    def stop(self, worker: Any) -> None:
        app: Flask = worker.app.flask_app
        self._leave(app, app.config["STOP_SECONDS"])

    def terminate(self, worker: Any) -> None:
        """A second signal, or SIGQUIT: there is no time to wait."""
        self._leave(worker.app.flask_app, 0.0)

    def _leave(self, app: Flask, grace: float) -> None:
        drain(app, grace)
        self.relay.stop()
        self.thread.join(STOP_TIMEOUT)
        try:
            self.relay.say_goodbye()
        except SQLAlchemyError as error:
            log.warning("worker could not sign off", error=type(error).__name__)
