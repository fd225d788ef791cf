"""Secrets that are kept come under the newest key, and then the older keys can go."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert

from tests.queue.rows import OWNER, accept, job
from webapi.extensions import db
from webapi.models import Schedule
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named, seals
from webapi.services import resealing
from webapi.tasks.http_call import HttpCall

pytestmark = pytest.mark.usefixtures("owner")
CALL = HttpCall(url="https://example.com/", secret_headers={"X-Token": "canary"})


@pytest.fixture(autouse=True)
def keys(ground: Flask) -> Iterator[None]:
    before = {name: ground.config[name] for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS")}
    yield
    ground.config |= before


def rotate(app: Flask, *, keep: bool) -> None:
    old = app.config["SECRET_KEY"]
    app.config |= {"SECRET_KEY": "another-key-that-is-long-enough-for-tests", "SECRET_KEY_FALLBACKS": [old] * keep}


def test_after_it_nothing_needs_the_key_of_before(ground: Flask) -> None:
    job_id, schedule_id = accept("http.call", CALL), uuid4()
    row = {"kind": "http.call", "cron": "0 0 * * *", "timezone": "UTC", "next_at": after(3600)}
    with writing() as session:
        payload = seals.sealed(CALL, OWNER)
        session.execute(insert(Schedule).values(id=schedule_id, owner_id=OWNER, payload=payload, **row))
    rotate(ground, keep=True)
    done = resealing.reseal()
    assert (done.jobs, done.schedules, done.unopenable) == (1, 1, 0)
    ground.config["SECRET_KEY_FALLBACKS"] = []
    kind = kind_named("http.call")
    for payload in (job(job_id).payload, db.session.get_one(Schedule, schedule_id).payload):
        assert seals.opened(kind, payload, OWNER) == CALL


def test_what_no_key_opens_is_counted_and_left(ground: Flask) -> None:
    job_id = accept("http.call", CALL)
    before = job(job_id).payload
    rotate(ground, keep=False)
    assert resealing.reseal().unopenable == 1
    assert job(job_id).payload == before
