"""A COMMIT whose reply is lost: only the ledger knows, so it is asked. Every 202 has its row, every key one job."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from uuid import UUID, uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url

from tests.conftest import Person
from tests.proxy import Cut, Link, Proxy, proxy

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

TIMES = 200
Moment = Literal["the reply is lost", "the request is lost"]


@dataclass
class Plan:
    """What is to happen to the next transaction that inserts a job."""

    moment: Moment | None = None
    struck: dict[str, int] = field(default_factory=dict)

    def strike(self) -> None:
        assert self.moment is not None
        self.struck[self.moment] = self.struck.get(self.moment, 0) + 1
        self.moment = None
        raise Cut


class Commits(Link):
    """Knows PostgreSQL's messages well enough to find a COMMIT and its answer.

    https://www.postgresql.org/docs/current/protocol-message-formats.html: one byte of type, four of length.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._inserts = False
        self._answer = b""

    def from_client(self, data: bytes) -> bytes:
        if b"INSERT INTO jobs" in data:
            self._inserts = True
        if self._inserts and self._plan.moment == "the request is lost" and re.search(rb"COMMIT\0", data):
            self._plan.strike()
        return data

    def from_server(self, data: bytes) -> bytes:
        self._answer += data
        while len(self._answer) >= 5:
            size = 1 + int.from_bytes(self._answer[1:5], "big")
            if len(self._answer) < size:
                break
            message, self._answer = self._answer[:size], self._answer[size:]
            if message[:1] == b"C" and message[5:] == b"COMMIT\0":
                if self._inserts and self._plan.moment == "the reply is lost":
                    self._plan.strike()
                self._inserts = False
        return data


@pytest.fixture
def plan() -> Plan:
    return Plan()


@pytest.fixture
def between(database_url: str, plan: Plan) -> Iterator[Proxy]:
    port = make_url(database_url).port
    assert port is not None
    with proxy(port, partial(Commits, plan)) as standing:
        yield standing


@pytest.fixture
def cut_app(make_app: Callable[..., Flask], database_url: str, between: Proxy) -> Flask:
    """The app whose every word to the database passes the proxy."""
    plain = {"sslmode": "disable", "gssencmode": "disable"}
    url = make_url(database_url).set(port=between.port, query=plain)
    return make_app(DATABASE_URL=url.render_as_string(hide_password=False))


def rows(database_url: str) -> dict[str, UUID]:
    """The job of each key, as the database itself tells."""
    with psycopg.connect(database_url) as connection:
        jobs = {row[0] for row in connection.execute("SELECT id FROM jobs")}
        keys: dict[str, UUID] = {
            row[0]: row[1] for row in connection.execute("SELECT key, job_id FROM idempotency_keys")
        }
    assert jobs == set(keys.values())
    assert len(jobs) == len(keys)
    return keys


def ask_until_accepted(app: Flask, person: Person, key: str, plan: Plan, moment: Moment) -> tuple[list[int], UUID]:
    """What a client does: the same request under the same key until it has an answer that counts."""
    client = app.test_client()
    statuses: list[int] = []
    plan.moment = moment
    while len(statuses) < 5:
        headers = {**person.headers, "Idempotency-Key": key}
        answer = client.post("/api/v1/jobs/data.process", json={"data": [1]}, headers=headers)
        statuses.append(answer.status_code)
        if answer.status_code == 202:
            return statuses, UUID(answer.get_json()["id"])
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
    raise AssertionError(f"never accepted: {statuses}")


def test_every_202_has_its_row_and_every_key_one_job(
    cut_app: Flask, ada: Person, database_url: str, plan: Plan
) -> None:
    promised: dict[str, UUID] = {}
    given: list[int] = []
    moments: tuple[Moment, Moment] = ("the reply is lost", "the request is lost")
    for number in range(2 * TIMES):
        key = str(uuid4())
        statuses, promised[key] = ask_until_accepted(cut_app, ada, key, plan, moments[number % 2])
        given += statuses
    assert rows(database_url) == promised
    assert plan.struck == dict.fromkeys(moments, TIMES)
    print(f"\n{TIMES} replies and {TIMES} requests lost: {given.count(202)} × 202, {given.count(503)} × 503")


def test_a_reply_that_is_lost_is_answered_with_202_at_once(
    cut_app: Flask, ada: Person, database_url: str, plan: Plan
) -> None:
    statuses, job_id = ask_until_accepted(cut_app, ada, "the-one-key", plan, "the reply is lost")
    assert (statuses, rows(database_url)) == ([202], {"the-one-key": job_id})


def test_a_request_that_is_lost_is_answered_with_503_and_leaves_nothing(
    cut_app: Flask, ada: Person, database_url: str, plan: Plan
) -> None:
    statuses, job_id = ask_until_accepted(cut_app, ada, "the-one-key", plan, "the request is lost")
    assert (statuses, rows(database_url)) == ([503, 202], {"the-one-key": job_id})
