"""The Celery extension: one Celery per Flask app, nothing process-wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery, Task
from celery.exceptions import Ignore
from flask import Flask, current_app
from kombu.pools import producers
from structlog import get_logger

from webapi import metrics
from webapi.errors import ConfigError, NotFound
from webapi.queue import signing, stores
from webapi.queue.children import after_fork
from webapi.queue.gathering import gathering
from webapi.queue.hints import Hints
from webapi.queue.job import Kind
from webapi.queue.plain import PlainTask
from webapi.queue.run import SPELL, work_off
from webapi.queue.settings import PUBLISHER_TRANSPORT, broker_settings, celery_settings
from webapi.queue.transport import SteadyConsumer
from webapi.queue.worker import RelayStep

log = get_logger()


class FlaskCelery(Celery):  # type: ignore[misc]
    """A Celery that knows its Flask app, and on which server the messages of a queue go."""

    flask_app: Flask

    def send_task(self, name: str, *args: Any, producer: Any = None, connection: Any = None, **options: Any) -> Any:
        """Celery's own, through the server of the task's queue where queues have servers of their own."""
        hints: Hints = self.flask_app.extensions["hints"]
        if len(hints.servers) == 1 or producer or connection:
            return super().send_task(name, *args, producer=producer, connection=connection, **options)
        queue = options.get("queue") or self.conf.task_routes[name]["queue"]
        settings = broker_settings(hints.at(getattr(queue, "name", queue)).url, PUBLISHER_TRANSPORT)
        there = self.connection_for_write(
            settings["broker_url"],
            ssl=settings["broker_use_ssl"],
            transport_options=settings["broker_transport_options"],
        )
        with producers[there].acquire(block=True, timeout=self.conf.broker_pool_acquire_timeout) as ours:
            return super().send_task(name, *args, producer=ours, **options)


class AppTask(Task):  # type: ignore[misc]
    """Checks a message's MAC and runs the task in the context of its own app.

    It is a class of the module, not of a closure, so that a pool that spawns can pickle it.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        app: Flask = self.app.flask_app
        request = self.request
        if not request.called_directly and not request.is_eager:
            if not signing.verified(app, self.name, request, args, kwargs):
                metrics.NO_MAC.add()
                log.warning("message dropped", why="no valid MAC", task=self.name)
                raise Ignore
            after_fork(app)
        with app.app_context():
            return super().__call__(*args, **kwargs)

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        log.error("task failed", task=self.name, id=task_id, exc_info=exc)


class Queue:
    """`init_app` builds the app's Celery, at `app.extensions["celery"]`, and registers its kinds.

    Reads REDIS_URL, REDIS_URLS, REMOTE_CONTROL, SECRET_KEY, SECRET_KEY_FALLBACKS, STORAGE_URL (with it SCRATCH_PATH,
    S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY) and WEBAPI_ENV.
    """

    def init_app(self, app: Flask, kinds: Sequence[Kind], plain: Sequence[PlainTask[Any, Any]] = ()) -> None:
        by_name = {kind.name: kind for kind in kinds}
        if len(by_name) != len(kinds):
            raise ConfigError("Two kinds have the same name; a message could mean either.")
        for kind in kinds:
            if kind.on_failure is not None and kind.on_failure not in by_name:
                raise ConfigError(f"{kind.name}: its failure handler {kind.on_failure!r} is no kind.")
        routes = {kind.name: kind.queue for kind in kinds} | {task.name: task.queue for task in plain}
        queues = sorted({"default", *routes.values()})
        app.extensions["kinds"] = by_name
        app.extensions["queues"] = queues
        app.extensions["hints"] = Hints(app)
        app.extensions["submissions"] = gathering()
        app.extensions["files"] = stores.made(app.config)
        app.extensions["celery"] = _celery(app, celery_settings(app, routes), kinds, plain)


def _celery(
    app: Flask, settings: dict[str, Any], kinds: Sequence[Kind], plain: Sequence[PlainTask[Any, Any]]
) -> FlaskCelery:
    celery = FlaskCelery(app.name, task_cls=AppTask, amqp=signing.SigningAMQP, set_as_current=False)
    celery.flask_app = app
    celery.conf.update(settings)
    celery.conf.worker_consumer = SteadyConsumer
    celery.steps["worker"].add(RelayStep)
    for kind in kinds:
        celery.task(
            name=kind.name,
            shared=False,
            # One hint may bring several jobs; the last of them begins within SPELL, and has its whole time then.
            soft_time_limit=kind.soft_time_limit + SPELL,
            time_limit=kind.time_limit + SPELL,
        )(_worker_for(kind))
    for task in plain:
        celery.task(name=task.name, shared=False, **task.options)(task.function)
    return celery


def _worker_for(kind: Kind) -> Any:
    def take(job: str) -> None:
        work_off(kind)

    take.__doc__ = kind.summary
    take.__name__ = take.__qualname__ = kind.name.replace(".", "_")
    return take


def kind_named(name: str) -> Kind:
    """The current app's kind of that name. Raises NotFound."""
    found: Kind | None = current_app.extensions["kinds"].get(name)
    if found is None:
        raise NotFound(f"There is no kind of job called {name!r}.")
    return found
