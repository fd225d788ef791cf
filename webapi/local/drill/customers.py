"""Those who submit: a few threads that keep to the plan, repeat what had no answer, cancel, and run again."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from webapi.local.drill.api import Answer, Api, NoAnswer
from webapi.local.drill.journal import Journal
from webapi.local.drill.plan import Order

AGAIN = 0.15  # seconds before a request without an answer is repeated
PATIENCE = 90.0  # seconds for a request to be accepted; a web server that is killed is back within a few
FINE = 202
PASSING = {429, 500, 502, 503, 504}  # answers after which the same request may go well

Task = Callable[[], None]


class NotAccepted(Exception):
    """The system did not take a job that is right. The message says what it answered."""


class Customer(threading.Thread):
    """Carries out its orders, each at its time. `failure` is what ended it too early."""

    def __init__(self, name: str, api: Api, journal: Journal, orders: Sequence[Order], began: float) -> None:
        super().__init__(name=name, daemon=True)
        self._api, self._journal, self._began = api, journal, began
        self._order_of_tasks = itertools.count()
        self._agenda: list[tuple[float, int, Task]] = []
        self.failure: Exception | None = None
        for order in orders:
            self._plan(order.at, lambda order=order: self._submit(order))  # type: ignore[misc]

    def run(self) -> None:
        try:
            while self._agenda:
                due, _, task = heapq.heappop(self._agenda)
                time.sleep(max(0.0, self._began + due - time.monotonic()))
                task()
        except Exception as error:  # noqa: BLE001 - the drill's main thread reports it
            self.failure = error

    def _plan(self, due: float, task: Task) -> None:
        heapq.heappush(self._agenda, (due, next(self._order_of_tasks), task))

    def _submit(self, order: Order) -> None:
        key = f"drill-order-{order.number:08d}"
        self._journal.add("order", key=key, tag=order.tag, kind=order.kind, effects=order.effects)
        path = f"/api/v1/jobs/{order.kind}?{urlencode(_query(order))}"
        if order.hangs_up:
            with contextlib.suppress(NoAnswer):
                self._api.post(path, order.payload, key, hang_up=True)
        for _ in range(1 + order.repeats):
            answer = self._insist(path, order.payload, key)
        if order.then:
            due = time.monotonic() - self._began + order.then_after
            self._plan(due, lambda: self._then(answer.body["id"], order.then))

    def _insist(self, path: str, payload: Any, key: str) -> Answer:
        """Ask under the same key until there is a 202. Raises NotAccepted."""
        deadline, said = time.monotonic() + PATIENCE, "nothing"
        while time.monotonic() < deadline:
            try:
                answer = self._api.post(path, payload, key)
            except NoAnswer:
                time.sleep(AGAIN)
                continue
            if answer.status == FINE:
                return answer
            said = f"{answer.status}: {answer.body}"
            if answer.status not in PASSING:
                break
            time.sleep(AGAIN)
        raise NotAccepted(f"POST {path} under {key} was answered with {said}")

    def _then(self, job_id: str, what: str) -> None:
        """Cancel the job or run it again. That it is over already, or not yet, is an answer too."""
        try:
            self._api.post(f"/api/v1/jobs/{job_id}/{what}")
        except NoAnswer:
            self._plan(time.monotonic() - self._began + AGAIN, lambda: self._then(job_id, what))


def _query(order: Order) -> list[tuple[str, str]]:
    """The same for each repetition of a request, as its key demands."""
    given = [("tag", order.tag)]
    if order.delay is not None:
        given.append(("delay", str(order.delay)))
    if order.deadline is not None:
        given.append(("deadline", (datetime.now(UTC) + timedelta(seconds=order.deadline)).isoformat()))
    return given
