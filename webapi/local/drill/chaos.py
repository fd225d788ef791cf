"""SIGKILL, again and again: for what the plan says, at the moment when it hurts.

A kill counts as a hit only when it struck running work, which is looked up after the victim is dead.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import func, select

from webapi import brokers
from webapi.extensions import db
from webapi.local import guard
from webapi.local.drill.api import Traffic
from webapi.local.drill.plan import Fault
from webapi.local.processes import Supervisor
from webapi.models import Job, State

OPPORTUNITY = 3.0  # seconds to wait for a moment in which the kill would hit
LOOK = 0.01  # seconds between two looks for one
DEATH = 0.01  # seconds that a process may take to be dead; what it commits meanwhile counts as not hit


@dataclass(frozen=True)
class Kill:
    """What was killed when (seconds since 1970), and whether that struck running work."""

    what: Fault
    at: float
    hit: bool
    held: tuple[UUID, ...] = ()  # the jobs that the dead held


@dataclass
class Chaos:
    """Kills parts of one running system; the supervisor brings them back."""

    app: Flask
    supervisor: Supervisor
    workers: Sequence[str]
    traffic: Traffic
    chance: random.Random
    kills: list[Kill] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dead: set[int] = set()
        self._answers = 0  # of the web server, when it was killed last
        self._redis = brokers.client(self.app.config["REDIS_URL"], 1)

    def strike(self, fault: Fault) -> None:
        """Carry out one fault. When there is no work to hit for a while it is done all the same, as a miss."""
        deadline = time.monotonic() + OPPORTUNITY
        while True:
            last = time.monotonic() > deadline
            kill = {
                "worker child": self._worker_child,
                "worker main": self._worker_main,
                "web": self._web,
                "redis": self._valkey,
                "flushall": self._flush,
            }[fault](last)
            if kill is not None:
                self.kills.append(kill)
                return
            time.sleep(LOOK)

    def _worker_child(self, last: bool) -> Kill | None:
        mains = {self.supervisor.pid(name) for name in self.workers}
        holders = [pid for pid in sorted(self._holders()) if pid not in mains and _group(pid) in mains]
        if holders and (at := _kill(pid := self.chance.choice(holders))):
            held = self._held_by([pid])
            return Kill("worker child", at, bool(held), held)
        return Kill("worker child", time.time(), False) if last else None

    def _worker_main(self, last: bool) -> Kill | None:
        mains = [self.supervisor.pid(name) for name in self.workers]
        busy = {_group(pid) for pid in self._holders()}
        if not last:
            mains = [main for main in mains if main in busy]
        main = self.chance.choice(mains) if mains else 0
        children = [pid for pid in self._holders() if _group(pid) == main]
        if main and (at := _kill(-main)):
            held = self._held_by(children)
            return Kill("worker main", at, bool(held), held)
        return Kill("worker main", time.time(), False) if last else None

    def _web(self, last: bool) -> Kill | None:
        """One that has not answered since it died is let come back: on a busy machine chance could keep all out."""
        before = self.traffic.open() if self.traffic.answers > self._answers else set()
        if before and (at := _kill(-self.supervisor.pid("web"))):
            self._answers = self.traffic.answers
            return Kill("web", at, bool(before & self.traffic.open()))
        return Kill("web", time.time(), False) if last else None

    def _valkey(self, last: bool) -> Kill | None:
        queued = self._queued()
        if (queued or last) and (at := _kill(-self.supervisor.pid("valkey"))):
            return Kill("redis", at, bool(queued))
        return Kill("redis", time.time(), False) if last else None

    def _flush(self, last: bool) -> Kill | None:
        queued = self._queued()
        if not queued and not last:
            return None
        try:
            self._redis.flushall()
        except RedisError:  # it was killed a moment ago
            return Kill("flushall", time.time(), False) if last else None
        return Kill("flushall", time.time(), bool(queued))

    def _holders(self) -> set[int]:
        """Processes that hold a lease, as the ledger says, without those that we have killed."""
        with self.app.app_context():
            owners = db.session.scalars(select(Job.lease_owner).where(Job.state == State.RUNNING).distinct())
            return {int(owner.rpartition(":")[2]) for owner in owners if owner} - self._dead

    def _held_by(self, pids: Sequence[int]) -> tuple[UUID, ...]:
        """What these processes hold now that they are dead. Of what was swept already nothing is said."""
        self._dead.update(pids)  # its lease stays for a moment, and must not count twice
        with self.app.app_context():
            rows = db.session.execute(select(Job.id, Job.lease_owner).where(Job.state == State.RUNNING))
            return tuple(row.id for row in rows if int(row.lease_owner.rpartition(":")[2]) in pids)

    def _queued(self) -> int:
        with self.app.app_context():
            return db.session.scalar(select(func.count()).where(Job.state == State.QUEUED)) or 0


def _kill(target: int) -> float | None:
    """SIGKILL to a process, or to a group if `target` is negative. Returns when; None when there is nothing."""
    at = time.time()
    if not guard.send(target, signal.SIGKILL):
        return None
    time.sleep(DEATH)
    return at


def _group(pid: int) -> int | None:
    """A process's group; None when it is gone. A number that was given to a stranger since has another group."""
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return None
