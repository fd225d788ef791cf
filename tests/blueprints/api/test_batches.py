"""A batch for programs: all or nothing, or a verdict on each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Browser, Site
from tests.conftest import Person
from webapi.blueprints.api.batches import LARGEST
from webapi.models.transaction import writing
from webapi.services import keys

GOOD, BAD = {"data": [1]}, {"data": [1], "nonsense": True}


def post(site: Site, items: Any, kind: str = "data.process", query: str = "", **headers: str) -> TestResponse:
    path, more = f"/api/v1/jobs/{kind}/batch{query}", {**site.ada.headers, **headers}
    if isinstance(items, bytes):
        return site.program.post(path, data=items, headers={"Content-Type": "application/x-ndjson", **more})
    return site.program.post(path, json=items, headers=more)


def body(answer: TestResponse, status: int = 202) -> dict[str, Any]:
    found: dict[str, Any] = answer.get_json(force=True)
    assert answer.status_code == status, found
    return found


def counted(site: Site, tag: str) -> int:
    return len((site.program.get(f"/api/v1/jobs?limit=200&tag={tag}", headers=site.ada.headers).json or {})["jobs"])


def test_each_item_becomes_a_job_with_what_the_query_says(site: Site) -> None:
    found = body(
        post(site, [{"data": 1}, {"data": 2}], query="?tag=both&priority=3&callback_url=https://hooks.example/")
    )
    assert (found["accepted"], found["refused"], [each["index"] for each in found["items"]]) == (2, 0, [0, 1])
    for number, item in enumerate(found["items"], 1):
        job = site.program.get(f"/api/v1/jobs/{item['id']}", headers=site.ada.headers).json or {}
        assert (job["payload"]["data"], job["tags"], job["priority"]) == (number, ["both"], 3)
        assert (job["callback_url"], item["problem"]) == ("https://hooks.example/", None)


def test_lines_are_taken_as_a_list_is(site: Site) -> None:
    found = body(post(site, b'{"data": 1}\r\n\n{"data": "\xc3\xa9"}\n', query="?tag=lines"))
    assert (found["accepted"], counted(site, "lines")) == (2, 2)


def test_one_that_is_not_right_keeps_all_out_and_is_pointed_at(site: Site) -> None:
    found = body(post(site, [GOOD, BAD, {"data": 1, "trim": "yes"}], query="?tag=none"), 422)
    assert [each["pointer"] for each in found["errors"]] == ["/1/nonsense", "/2/trim"]
    assert ("Nothing was accepted" in found["detail"], counted(site, "none")) == (True, 0)


def test_with_partial_each_has_its_verdict(site: Site) -> None:
    mail = {"to": ["bob@example.com"], "subject": "Hello", "text": "Hi."}
    items = [mail, {**mail, "to": ["nobody"]}, {"to": ["bob@example.com"], "template": "no-such"}]
    found = body(post(site, items, "email.send", "?partial=true&tag=some"))
    assert (found["accepted"], found["refused"], counted(site, "some")) == (1, 2, 1)
    problems = [each["problem"] for each in found["items"]]
    assert problems[0] is None
    assert [(each["status"], each["code"], each["errors"][0]["pointer"]) for each in problems[1:]] == [
        (422, "invalid", "/to/0"), (422, "invalid", "/template"),
    ]  # fmt: skip


def test_with_partial_and_none_that_is_right_nothing_is_accepted(site: Site) -> None:
    assert body(post(site, [BAD], query="?partial=true"), 422)["errors"][0]["pointer"] == "/0/nonsense"


def test_asking_again_under_the_same_key_answers_with_the_same_ids(site: Site) -> None:
    mail = {"to": ["bob@example.com"], "subject": "Hello", "text": "Hi."}
    items = [mail, {"to": ["nobody"], "subject": "x", "text": "y"}, mail]
    first = post(site, items, "email.send", "?partial=true&tag=twice", **{"Idempotency-Key": "batch-key-1"})
    second = post(site, items, "email.send", "?partial=true&tag=twice", **{"Idempotency-Key": "batch-key-1"})
    ids = [[each["id"] for each in body(answer)["items"]] for answer in (first, second)]
    assert (ids[0], counted(site, "twice")) == (ids[1], 2)
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (False, "true")
    other = post(site, items[:1], "email.send", "?partial=true", **{"Idempotency-Key": "batch-key-1"})
    assert body(other, 422)["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([], 422), ({}, 422), ("x", 422), ([1], 422), ([[]], 422), ([None], 422), (b"", 422), (b"\n\n", 422),
        (b'{"data": 1}\n{"data":', 400), (b'{"data": 1},\n{"data": 2}', 400), (b'{"data": 1, "data": 2}', 400),
        (b'\xef\xbb\xbf{"data": 1}', 400), (b'{"data": "\\ud800"}', 400), (b'{"data": 1e999}', 400),
        (b"\xff\xfe", 400), (json.dumps([{"data": 1}]).encode(), 422),
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused_whole(site: Site, sent: Any, status: int) -> None:
    assert post(site, sent, query="?partial=true").status_code == status


def test_a_line_that_is_no_json_is_named(site: Site) -> None:
    assert body(post(site, b'{"data": 1}\n{"data": nope}'), 400)["detail"].startswith("Line 2: It is not JSON")


def test_blank_lines_count_in_the_number_of_a_line(site: Site) -> None:
    answer = body(post(site, b'\r\n \n{"data": 1}\r\n\n\n{"data": nope}'), 400)
    assert answer["detail"].startswith("Line 6: It is not JSON")


def test_no_line_is_read_of_a_batch_that_has_too_many(site: Site) -> None:
    assert body(post(site, b"no JSON\n" * 10_001), 422)["errors"][0]["message"].endswith("1 to 10,000 payloads.")


def test_of_somebody_who_may_not_submit_nothing_is_read(site: Site) -> None:
    with site.app.app_context():
        person = Person(site.app, "unconfirmed@example.com")
        bound = {"Authorization": f"Bearer {keys.create(person.row, 'x', kind='report.build')}"}
    assert post(site, b"no JSON", **bound).status_code == 403
    with site.app.app_context(), writing():
        person.row.verified_at = None
    answer = body(post(site, b"no JSON", **person.headers), 403)
    assert answer["detail"].startswith("Confirm your email address first")


def test_ten_thousand_and_one_are_too_many(site: Site) -> None:
    assert body(post(site, b'{"data":1}\n' * 10_001), 422)["errors"][0]["message"].endswith("1 to 10,000 payloads.")


def test_a_body_over_the_limit_is_413_and_another_sort_415(site: Site) -> None:
    answer = site.program.post(
        "/api/v1/jobs/data.process/batch", headers={**site.ada.headers, "Content-Type": "application/json"},
        environ_overrides={"CONTENT_LENGTH": str(LARGEST + 1)},
    )  # fmt: skip
    assert answer.status_code == 413
    assert post(site, b"data", **{"Content-Type": "text/csv"}).status_code == 415


@pytest.mark.parametrize("kind", ["email.welcome", "no.such", "01930000-0000-7000-8000-000000000000"])
def test_a_kind_without_doors_has_none_for_batches(site: Site, kind: str) -> None:
    assert post(site, [GOOD], kind).status_code == 404


def test_a_test_key_plays_the_whole_batch(site: Site) -> None:
    with site.app.app_context():
        key = keys.create(site.ada.row, "trial", test=True)
    found = body(post(site, [GOOD], Authorization=f"Bearer {key}"))
    job = site.program.get(f"/api/v1/jobs/{found['items'][0]['id']}", headers=site.ada.headers).json or {}
    assert job["sandbox"] is True


def test_a_page_of_ours_needs_its_token(browser: Browser) -> None:
    assert browser.client.post("/api/v1/jobs/data.process/batch", json=[GOOD]).status_code == 403
