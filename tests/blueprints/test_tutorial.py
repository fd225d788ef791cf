"""The shortest form: `POST /process`, then `GET /status/<task_id>`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import NOBODYS
from tests.blueprints.site import Browser, Site


def process(site: Site, **options: Any) -> TestResponse:
    return site.program.post("/process", headers={**site.ada.headers, **options.pop("headers", {})}, **options)


def status(site: Site, task_id: object) -> TestResponse:
    return site.program.get(f"/status/{task_id}", headers=site.ada.headers)


def test_json_is_accepted_at_once_and_queued(site: Site) -> None:
    answer = process(site, json={"data": [1, 2, 3]})
    assert (answer.status_code, (answer.json or {}).keys()) == (202, {"task_id", "status"})
    assert (answer.json or {})["status"] == "queued"


def test_a_form_is_accepted_like_json(site: Site) -> None:
    answer = process(site, data={"data": "hello"})
    assert (answer.status_code, site.job((answer.json or {})["task_id"]).payload["data"]) == (202, "hello")


def test_a_waiting_task_says_queued_and_a_finished_one_its_result(site: Site) -> None:
    task_id = (process(site, json={"data": [1, 2, 3]}).json or {})["task_id"]
    waiting = status(site, task_id).json
    while site.job(task_id).state == "queued":
        site.work("data.process")  # the oldest first: those of other tests come before
    done = status(site, task_id).json or {}
    assert waiting == {"task_id": task_id, "status": "queued", "progress": 0, "result": None, "error": None}
    assert (done["status"], done["progress"], done["result"]["rows"], done["error"]) == ("succeeded", 100, 3, None)


@pytest.mark.parametrize("task_id", [NOBODYS, "unknown", "0", "01900000", "None"])
def test_an_unknown_task_is_404_and_never_pending(site: Site, task_id: object) -> None:
    answer = status(site, task_id)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert "pending" not in answer.text.lower()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"json": {}}, 422),
        ({"json": {"data": None}}, 422),
        ({"json": {"data": 1, "more": 2}}, 422),
        ({"json": [1]}, 422),
        ({"data": b"{", "content_type": "application/json"}, 400),
        ({"data": b"data", "content_type": "text/plain"}, 415),
        ({"data": {"more": "2"}}, 422),
    ],
)
def test_anything_else_is_refused(site: Site, options: dict[str, Any], code: int) -> None:
    assert process(site, **options).status_code == code


def test_a_visitor_is_told_to_send_a_key(visitor: Browser) -> None:
    assert visitor.client.post("/process", json={"data": 1}).status_code == 401
    assert visitor.get(f"/status/{uuid4()}").status_code == 401


def test_the_same_request_under_the_same_key_is_one_task(site: Site) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, second = (process(site, json={"data": 1}, headers=key).json for _ in range(2))
    assert first == second
