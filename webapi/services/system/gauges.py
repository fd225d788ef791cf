"""The ledger as figures for Prometheus: what is due, what is late, what waits for a person.

A process looks at most once in `FRESH` seconds, whoever asks and how often: ten servers that are scraped cost the
database about one look a second. Each look reads a bounded number of rows, as the system page does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import Integer, text
from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from webapi.errors import WebapiError
from webapi.extensions import db
from webapi.models import State
from webapi.models.columns import Moment
from webapi.services.system import CAP, crew
from webapi.services.system.backlog import Waiting
from webapi.services.system.drift import Queue
from webapi.services.system.look import Look, look
from webapi.version import VERSION

FRESH = 10.0  # seconds
UNANSWERED_JOBS = 500  # uncertain jobs whose effects are counted

# An index over the states of effects would make each of their changes dearer, and mail makes many. Uncertain jobs have
# an index already.
_UNKNOWN = text(
    """
    SELECT coalesce(sum(effects), 0) AS effects, min(oldest) AS oldest FROM (
        SELECT (SELECT count(*) FROM (SELECT 1 FROM effects WHERE effects.job_id = few.id AND effects.state = 'unknown'
                                      LIMIT :most) AS first) AS effects,
            (SELECT min(marked_at) FROM effects WHERE effects.job_id = few.id AND effects.state = 'unknown') AS oldest
        FROM (SELECT id FROM jobs WHERE state = 'uncertain' ORDER BY finished_at LIMIT :jobs) AS few) AS unknown
    """
).columns(effects=Integer, oldest=Moment)

log = get_logger()


class Gauges:
    """The figures of one process, kept for `FRESH` seconds."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._page = b""
        self._until = 0.0

    def page(self) -> bytes:
        """In Prometheus's format. A database that is away is a figure too; the others are then left out."""
        with self._lock:
            if time.monotonic() >= self._until:
                registry = CollectorRegistry()
                registry.register(self)
                self._page = generate_latest(registry)
                self._until = time.monotonic() + FRESH
            return self._page

    def collect(self) -> Iterable[GaugeMetricFamily]:
        version = GaugeMetricFamily("webapi_version_info", "The version that runs here.", labels=["version"])
        version.add_metric([VERSION], 1)
        redis = GaugeMetricFamily("webapi_redis_up", "Whether Redis answers.", self._app.extensions["hints"].answers())
        try:
            with self._app.app_context():
                known = list(_families(look()))
        except (SQLAlchemyError, WebapiError) as error:
            log.warning("metrics without the ledger", error=type(error).__name__)
            known = []
        return [version, redis, GaugeMetricFamily("webapi_database_up", "Whether it answers.", bool(known)), *known]


def init_app(app: Flask) -> None:
    app.extensions["gauges"] = Gauges(app)


def _families(seen: Look) -> Iterator[GaugeMetricFamily]:
    yield _jobs(seen.kinds)
    yield from _queues(seen)
    yield from _people(seen)
    workers = GaugeMetricFamily("webapi_workers", "Workers by how long ago they said something.", labels=["life"])
    for life in ("lives", "silent", "gone"):
        workers.add_metric([life], sum(each.life == life for each in seen.crew))
    yield workers
    if seen.crew:
        text = "Seconds since a worker's relay last began a pass, of the newest."
        yield GaugeMetricFamily("webapi_relay_age_seconds", text, min(each.quiet for each in seen.crew))
    overdue = seen.age(seen.not_woken.since) if seen.not_woken else 0.0
    yield GaugeMetricFamily("webapi_not_queued_age_seconds", "How long a job is overdue to be queued.", overdue)
    yield GaugeMetricFamily("webapi_schedules_late", "Schedules that should have fired.", len(seen.late))
    text = "Attempts under way that no living worker holds."
    yield GaugeMetricFamily("webapi_orphaned_attempts", text, len(seen.orphans))


def _jobs(kinds: list[Waiting]) -> GaugeMetricFamily:
    text = f"Jobs that are not over; a count stops at {CAP + 1}."
    found = GaugeMetricFamily("webapi_jobs", text, labels=["queue", "kind", "state"])
    for each in kinds:
        states = {State.QUEUED: each.due, State.SCHEDULED: each.scheduled, State.RETRYING: each.retrying}
        for state, count in {**states, State.RUNNING: each.running}.items():
            found.add_metric([each.queue, each.name, str(state)], count)
    return found


def _queues(seen: Look) -> Iterator[GaugeMetricFamily]:
    def of_each(name: str, text: str, figure: Any) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"webapi_{name}", text, labels=["queue"])
        for queue in seen.queues:
            if (value := figure(queue)) is not None:
                family.add_metric([queue.name], value)
        return family

    text = "How long the oldest due job has waited; those of kinds that are paused or gated do not count."
    yield of_each("oldest_due_age_seconds", text, lambda queue: queue.waited)
    yield of_each("queue_workers", "Living workers that take the queue.", lambda queue: queue.workers)
    yield of_each("queue_slots", "Jobs that they can do at once.", lambda queue: queue.slots)
    yield of_each("queue_busy", "Slots that work.", lambda queue: queue.busy)
    yield of_each("queue_hints", "Hints in Redis.", lambda queue: queue.hints)
    yield of_each("queue_unsent", "Due jobs without a hint that was sent.", lambda queue: queue.unsent)
    yield of_each("queue_drift", "Due jobs for which no hint lies in Redis.", _drift)
    text = "Seconds since a worker of the queue last took a hint."
    yield of_each("last_hint_age_seconds", text, lambda queue: _last_hint(seen, queue))


def _drift(queue: Queue) -> int | None:
    """Only of what is rung for: kinds that are paused, gated or unknown have no hint for each job."""
    return None if queue.hints is None else max(0, queue.open - queue.gated - queue.hints)


def _last_hint(seen: Look, queue: Queue) -> float | None:
    taken = [each.row.last_hint_at for each in crew.living(seen.crew) if queue.name in each.row.queues]
    ages = [seen.age(at) for at in taken if at is not None]
    return min(ages) if ages else None


def _people(seen: Look) -> Iterator[GaugeMetricFamily]:
    """What waits for a person."""
    unknown = db.session.execute(_UNKNOWN, {"jobs": UNANSWERED_JOBS, "most": CAP + 1}).one()
    paused = GaugeMetricFamily("webapi_kind_paused", "Whether somebody paused the kind.", labels=["kind"])
    for each in seen.kinds:
        paused.add_metric([each.name], each.paused_at is not None)
    yield paused
    since = seen.uncertain_since
    yield GaugeMetricFamily("webapi_uncertain_jobs", "Jobs that ended without an answer.", seen.uncertain)
    text = "How long the oldest of them waits for a person."
    yield GaugeMetricFamily("webapi_uncertain_jobs_age_seconds", text, seen.age(since) if since else 0.0)
    yield GaugeMetricFamily("webapi_unknown_effects", "Acts of these jobs of which nobody knows.", unknown.effects)
    oldest = seen.age(unknown.oldest) if unknown.oldest else 0.0
    yield GaugeMetricFamily("webapi_unknown_effects_age_seconds", "How long ago the oldest was begun.", oldest)
