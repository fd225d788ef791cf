"""Celery's settings. Each was chosen by experiment; docs/decisions/0003-celery-settings.md says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from kombu import Queue as Declared  # type: ignore[attr-defined]

from webapi import brokers

KEY_PREFIX = "{webapi}:"  # the braces keep all keys on one shard, should a proxy shard them

# Waits of a worker on Redis, in seconds. Without them a half-open connection leaves it deaf for ever.
WORKER_TRANSPORT: dict[str, Any] = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 5,
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": KEY_PREFIX,
}
# Whoever calls `.delay()` is told within seconds that Redis is away.
PUBLISHER_TRANSPORT: dict[str, Any] = {
    "socket_timeout": 1.5,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "global_keyprefix": KEY_PREFIX,
}


def broker_settings(url: str, waits: Mapping[str, Any]) -> dict[str, Any]:
    """Where messages go, for a side that waits as WORKER_TRANSPORT or PUBLISHER_TRANSPORT says."""
    broker = brokers.read(url)
    return {
        "broker_url": broker.celery_url,
        "broker_use_ssl": dict(broker.tls) or False,
        "broker_transport_options": {**waits, **broker.celery_options(waits["socket_connect_timeout"])},
    }


def result_settings(url: str) -> dict[str, Any]:
    """Where the results of plain tasks go."""
    broker = brokers.read(url)
    waits = PUBLISHER_TRANSPORT["socket_connect_timeout"]
    return {
        "result_backend": broker.celery_url,
        "redis_backend_use_ssl": dict(broker.tls) or None,
        "result_backend_transport_options": {"global_keyprefix": KEY_PREFIX, **broker.celery_options(waits)},
    }


def celery_settings(app: Flask, routes: dict[str, str]) -> dict[str, Any]:
    """Settings for both sides; `routes` names the queue of each task. A worker adds WORKER_TRANSPORT when it starts."""
    remote = app.config.get("REMOTE_CONTROL")
    return {
        **broker_settings(app.config["REDIS_URL"], PUBLISHER_TRANSPORT),
        **result_settings(app.config["REDIS_URL"]),
        "result_expires": 3600,
        "broker_pool_acquire_timeout": 3,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "task_ignore_result": True,
        "task_publish_retry": False,
        "task_create_missing_queues": False,
        "task_default_queue": "default",
        "task_routes": {task: {"queue": queue} for task, queue in routes.items()},
        "task_queues": [Declared(name) for name in sorted({"default", *routes.values()})],  # type: ignore[no-untyped-call]
        # The lease in the ledger is the recovery. Late acknowledgement only adds duplicates.
        "task_acks_late": False,
        "worker_disable_prefetch": True,
        "worker_enable_remote_control": app.config["WEBAPI_ENV"] == "development" if remote is None else remote,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "timezone": "UTC",
    }
