"""The program that uses the system: over HTTP only, with an API key, and with every request in its own log."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from webapi.local import ports
from webapi.local.drill.journal import Journal

TIMEOUT = 15.0  # seconds for one answer
PAGE = 200  # jobs in one answer


class NoAnswer(Exception):
    """The server hung up, or is not there."""


@dataclass(frozen=True)
class Answer:
    """A status, and what the body says."""

    status: int
    body: Any


class Traffic:
    """Which requests are sent and not answered at this moment, and how many were answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._open: set[int] = set()
        self.answers = 0

    def begin(self) -> int:
        with self._lock:
            number = next(self._numbers)
            self._open.add(number)
            return number

    def end(self, number: int, *, answered: bool) -> None:
        with self._lock:
            self._open.discard(number)
            self.answers += answered

    def open(self) -> set[int]:
        with self._lock:
            return set(self._open)


class Api:
    """One connection after another to the web server, for one thread."""

    def __init__(self, port: int, key: str, journal: Journal, traffic: Traffic) -> None:
        self._port, self._journal, self._traffic = port, journal, traffic
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, **query: Any) -> Answer:
        return self._exchange("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path, None, {})

    def post(self, path: str, value: Any = None, key: str | None = None, *, hang_up: bool = False) -> Answer:
        """Ask for something. The request is in the log before it is sent and its answer before this returns.

        With `hang_up` the connection is cut before an answer can come. Raises NoAnswer.
        """
        self._journal.add("asked", path=path, key=key)
        headers = {"Idempotency-Key": key} if key else {}
        answer = self._exchange("POST", path, None if value is None else json.dumps(value), headers, hang_up=hang_up)
        job = answer.body.get("id") if answer.status == http.client.ACCEPTED else None
        self._journal.add("answered", path=path, key=key, status=answer.status, job=job)
        return answer

    def _exchange(
        self, method: str, path: str, body: str | None, headers: dict[str, str], *, hang_up: bool = False
    ) -> Answer:
        connection = self._connection or http.client.HTTPConnection(ports.HOST, self._port, timeout=TIMEOUT)
        self._connection = connection
        number, answered = None, False
        try:
            connection.request(method, path, body, {**self._headers, **headers})
            number = self._traffic.begin()
            if hang_up:
                raise ConnectionAbortedError
            response = connection.getresponse()
            answer = Answer(response.status, json.loads(response.read() or b"null"))
            answered = True
            return answer
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            self._connection = None
            raise NoAnswer from error
        finally:
            if number is not None:
                self._traffic.end(number, answered=answered)

    def jobs(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Every job that matches, newest first. Raises NoAnswer."""
        cursor: dict[str, Any] = {}
        while True:
            page = self.get("/api/v1/jobs", limit=PAGE, **filters, **cursor)
            if page.status != http.client.OK:
                raise NoAnswer(f"the list of the jobs: {page.status}")
            yield from page.body["jobs"]
            if page.body["next_cursor"] is None:
                return
            cursor = {"cursor": page.body["next_cursor"]}

    def effects(self, job_id: str) -> list[dict[str, Any]]:
        """The receipts of a job as the API shows them. Raises NoAnswer."""
        answer = self.get(f"/api/v1/jobs/{job_id}/effects")
        if answer.status != http.client.OK:
            raise NoAnswer(f"the effects of {job_id}: {answer.status}")
        effects: list[dict[str, Any]] = answer.body["effects"]
        return effects
