"""`Prefer: wait=N`: 200 with the job that is over, or 202 with how far it is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Site
from tests.conftest import Live
from webapi.blueprints.api.preferences import wait


def post(live: Live | Site, prefer: str | None, query: str = "", **more: str) -> TestResponse:
    headers: dict[str, Any] = {**live.ada.headers, **({"Prefer": prefer} if prefer else {}), **more}
    path = f"/api/v1/jobs/data.process{query}"
    return live.app.test_client().post(path, json={"data": [1, 2]}, headers=headers)


def test_a_job_that_ends_in_time_is_the_answer(live: Live) -> None:
    answer = post(live, "wait=20")
    assert (answer.status_code, (answer.json or {})["state"]) == (200, "succeeded")
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert "Retry-After" not in answer.headers
    assert answer.headers["Location"] == (answer.json or {})["links"]["self"]


def test_the_same_key_waits_for_the_same_job(live: Live) -> None:
    first = post(live, None, **{"Idempotency-Key": "wait-for-it"})
    second = post(live, "wait=20", **{"Idempotency-Key": "wait-for-it"})
    assert (first.status_code, second.status_code) == (202, 200)
    assert (first.json or {})["id"] == (second.json or {})["id"]


def test_one_that_does_not_end_is_202_after_the_time(site: Site) -> None:
    began = time.monotonic()
    answer = post(site, "respond-async, wait=1", "?delay=60")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "wait=1")
    assert 1 <= time.monotonic() - began < 10
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5), ("wait = 5", 5), ('wait="5"', 5), ("WAIT=5", 5), ("respond-async, wait=5", 5),
        ("wait=5; foo=bar", 5), ("wait=5, wait=9", 5), ("wait=31", 30), ("wait=999999999", 30), ("wait=0", 0),
        ("wait=-1", 0), ("wait=5.5", 0), ("wait=soon", 0), ("wait", 0), ("awaits=5", 0), ("wait=" + "9" * 500, 0),
    ],
)  # fmt: skip
def test_the_header_is_read_as_the_rfc_says(site: Site, prefer: str, seconds: int) -> None:
    with site.app.test_request_context(headers={"Prefer": prefer}):
        assert wait() == seconds


def test_without_the_header_nothing_waits_and_nothing_is_said(site: Site) -> None:
    answer = post(site, None)
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (202, False)
