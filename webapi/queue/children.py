"""Processes of a worker: who we are, and what a forked child must not share with its parent."""

from __future__ import annotations

import mmap
import os
import threading

from flask import Flask
from uuid_utils.compat import uuid7

from webapi import traces
from webapi.extensions import db
from webapi.queue.gathering import gathering

# Held by the relay during a pass and by whoever forks: a child forked while another thread is inside
# SQLite, libpq or a pool would inherit a lock that nobody is left to release.
FORK_LOCK = threading.RLock()


def guard_forks() -> None:
    """Let no fork happen during a pass of the relay. Called once, by the process that runs one."""
    os.register_at_fork(before=FORK_LOCK.acquire, after_in_parent=FORK_LOCK.release, after_in_child=FORK_LOCK.release)


def after_fork(app: Flask) -> None:
    """In a new process, forget the parent's database connections without closing them under it, and its threads."""
    if app.extensions.get("connections_of") == os.getpid():
        return
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)
        traces.start(app, *db.engines.values())
    app.extensions["submissions"] = gathering()
    app.extensions["connections_of"] = os.getpid()


def worker_id(app: Flask) -> str:
    """The id of this worker, made in its main process before it forks, so that children share it."""
    return str(app.extensions.setdefault("worker_id", uuid7()))


def share_stop(app: Flask) -> None:
    """Called in the main process before it forks: from then on `stop_soon` is heard by its children."""
    app.extensions["stopping"] = mmap.mmap(-1, 1)  # anonymous and shared: it has no name and ends with the processes


def stop_soon(app: Flask) -> None:
    """Let no process of this worker begin another job; what is begun goes on."""
    if "stopping" in app.extensions:
        app.extensions["stopping"][0] = 1


def stops_soon(app: Flask) -> bool:
    """Whether this worker was asked to stop."""
    return "stopping" in app.extensions and bool(app.extensions["stopping"][0])


def lease_owner(app: Flask) -> str:
    """Who holds a lease: the worker and the process in it."""
    return f"{worker_id(app)}:{os.getpid()}"


def dead_owners(app: Flask, owners: list[str]) -> list[str]:
    """Those of this worker's processes among `owners` that are gone. Says nothing about other workers."""
    mine = worker_id(app) + ":"
    return [owner for owner in owners if owner.startswith(mine) and not _alive(int(owner.removeprefix(mine)))]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
