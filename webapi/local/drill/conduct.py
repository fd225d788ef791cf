"""One drill from its beginning to its verdict: work and kills, then peace, then the counting."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Flask
from sqlalchemy import select

from webapi.extensions import db
from webapi.local.drill import oracle, recovery
from webapi.local.drill.api import Api, Traffic
from webapi.local.drill.chaos import Chaos, Kill
from webapi.local.drill.customers import Customer
from webapi.local.drill.journal import Journal
from webapi.local.drill.outside import Outside, given_up
from webapi.local.drill.plan import Fault, Order, Plan
from webapi.local.processes import Supervisor
from webapi.models import JobEvent, State, Worker
from webapi.models.columns import now
from webapi.queue.audit import Finding, audit

CUSTOMERS = 8  # clients at a time
DRAINED = 150.0  # seconds after the last kill by which every job must be over; as long as it lasted, if that is more
READY = 60.0  # seconds for everything that was killed to be back
OVERTIME = 1.3  # times the planned duration, after which no more is killed: the machine is too slow for all of it
LOOK = 0.2  # seconds between two looks whether everything is back


@dataclass(frozen=True)
class Scene:
    """A system that runs, seen from outside: its door and the two logs. `app` is this process's own."""

    app: Flask
    workers: Sequence[str]
    port: int
    key: str
    requests: Journal
    receipts: Journal


@dataclass(frozen=True)
class Outcome:
    """What came of it. `given_up` counts jobs that crashed too often, `replayed` those of them that ran again."""

    judgement: oracle.Judgement
    evidence: oracle.Evidence
    kills: Sequence[Kill]
    recovery: recovery.Recovery
    findings: Sequence[Finding]
    given_up: int
    replayed: int
    deaf: int


class Drill(threading.Thread):
    """Runs beside the supervisor, which restarts what is killed. At its end `over` is set and there is a result."""

    def __init__(self, plan: Plan, scene: Scene, supervisor: Supervisor) -> None:
        super().__init__(name="drill", daemon=True)
        self._plan, self._scene, self._supervisor = plan, scene, supervisor
        self._traffic = Traffic()
        self.over = threading.Event()
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._outcome = self._run()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it again
            self._error = error
        finally:
            self.over.set()

    def result(self) -> Outcome | None:
        """None when somebody stopped it. Raises what went wrong."""
        if self._error is not None:
            raise self._error
        return self._outcome

    def _run(self) -> Outcome:
        orders, faults = self._plan.make()
        busy = [order for order in orders if order.at < self._plan.size.seconds]
        customers = self._start_customers(busy, time.monotonic())
        kills = self._kill(faults)
        self._heal()
        peace = self._clock()
        customers += self._start_customers(orders[len(busy) :], time.monotonic() - self._plan.size.seconds)
        for customer in customers:
            customer.join()
            if customer.failure is not None:
                raise customer.failure
        deadline = time.monotonic() + max(DRAINED, self._plan.size.seconds)
        outside = Outside(self._connection(), self._scene.requests, self._scene.receipts)
        outside.drain(deadline)
        crashed = outside.replay_given_up()
        outside.drain(deadline)
        evidence = outside.evidence()
        with self._scene.app.app_context():
            findings = list(audit())
        hits = [kill for kill in kills if kill.hit]
        return Outcome(
            oracle.judge(evidence), evidence, kills, recovery.measure(self._scene.app, hits), findings,
            len(crashed | given_up(evidence.jobs)), len(crashed), self._deaf(peace),
        )  # fmt: skip

    def _connection(self) -> Api:
        return Api(self._scene.port, self._scene.key, self._scene.requests, self._traffic)

    def _start_customers(self, orders: Sequence[Order], began: float) -> list[Customer]:
        customers = [
            Customer(f"customer {number}", self._connection(), self._scene.requests, orders[number::CUSTOMERS], began)
            for number in range(CUSTOMERS)
        ]
        for customer in customers:
            customer.start()
        return customers

    def _kill(self, faults: Sequence[Fault]) -> list[Kill]:
        """The faults, spread evenly over the time that is planned for them."""
        chance = random.Random(self._plan.seed)  # noqa: S311 # nosec B311 - repeatable is the point
        chaos = Chaos(self._scene.app, self._supervisor, self._scene.workers, self._traffic, chance)
        began, seconds = time.monotonic(), self._plan.size.seconds
        for number, fault in enumerate(faults):
            time.sleep(max(0.0, began + seconds * number / len(faults) - time.monotonic()))
            if time.monotonic() > began + OVERTIME * seconds:
                break
            chaos.strike(fault)
        return chaos.kills

    def _heal(self) -> None:
        """Wait until every worker is back. One that does not come is found by `_deaf`."""
        deadline = time.monotonic() + READY
        while len(self._ids()) < len(self._scene.workers) and time.monotonic() < deadline:
            time.sleep(LOOK)

    def _ids(self) -> list[str]:
        """The workers that run now, as the ledger calls them."""
        pids = [self._supervisor.pid(name) for name in self._scene.workers]
        mine = select(Worker.id).where(Worker.host == socket.gethostname(), Worker.pid.in_(pids))
        with self._scene.app.app_context():
            return [str(worker_id) for worker_id in db.session.scalars(mine)]

    def _clock(self) -> datetime:
        with self._scene.app.app_context():
            at: datetime = db.session.scalars(select(now())).one()
            return at

    def _deaf(self, since: datetime) -> int:
        """Workers that live and took no job since, although there were many."""
        query = select(JobEvent.actor).where(JobEvent.to_state == State.RUNNING, JobEvent.at > since).distinct()
        with self._scene.app.app_context():
            heard = {actor.removeprefix("worker ").partition(":")[0] for actor in db.session.scalars(query)}
        return len(self._scene.workers) - len(heard & set(self._ids()))
