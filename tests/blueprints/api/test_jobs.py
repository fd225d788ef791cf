"""Jobs for programs: accepted with 202 and where to look, listed page by page, shown with all that is known."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Site

JOBS = "/api/v1/jobs"


def get(site: Site, path: str, **query: Any) -> TestResponse:
    return site.program.get(path, query_string=query, headers=site.ada.headers)


def post(site: Site, path: str, **options: Any) -> TestResponse:
    return site.program.post(path, headers=site.ada.headers, **options)


def submit(site: Site, **query: Any) -> TestResponse:
    return post(site, f"{JOBS}/data.process", json={"data": [1]}, query_string=query)


def test_a_job_is_accepted_at_once_and_says_where_it_is(site: Site) -> None:
    answer = submit(site)
    job = answer.json or {}
    assert (answer.status_code, answer.location, answer.headers["Retry-After"]) == (202, f"{JOBS}/{job['id']}", "1")
    assert (job["state"], job["kind"], job["attempt"], job["result"], job["error"]) == (
        "queued",
        "data.process",
        0,
        None,
        None,
    )
    assert UUID(job["id"]).version == 7


def test_every_link_of_a_job_leads_somewhere(site: Site) -> None:
    links = (submit(site).json or {})["links"]
    seen = {name: get(site, links[name]).status_code for name in ("self", "events", "effects")}
    done = {name: post(site, links[name], json={}).status_code for name in ("cancel", "replay", "resolve", "release")}
    assert seen == dict.fromkeys(seen, 200)
    assert done == {"cancel": 200, "replay": 202, "resolve": 422, "release": 422}


@pytest.mark.parametrize("query", [{"delay": 60}, {"run_at": "2100-01-01T00:00:00+02:00"}])
def test_later_is_scheduled(site: Site, query: dict[str, Any]) -> None:
    job = submit(site, **query).json or {}
    assert job["state"] == "scheduled"
    assert datetime.fromisoformat(job["run_at"]) > datetime.now(UTC) + timedelta(seconds=55)


def test_what_was_asked_for_is_shown(site: Site) -> None:
    job = submit(site, priority=7, tag=["a", "b:c"], deadline="2100-01-01T00:00:00Z").json or {}
    assert (job["priority"], job["tags"], job["deadline_at"]) == (7, ["a", "b:c"], "2100-01-01T00:00:00Z")
    assert (job["payload"]["data"], job["payload"]["file"]) == ([1], None)


@pytest.mark.parametrize("kind", ["email.welcome", "email.taken", "test.note", "no.such", "process_data"])
def test_a_kind_that_is_not_open_is_not_there(site: Site, kind: str) -> None:
    answer = post(site, f"{JOBS}/{kind}", json={})
    assert (answer.status_code, answer.get_json(force=True)["detail"]) == (
        404,
        f"There is no kind of job called {kind!r}.",
    )


def test_nothing_can_be_submitted_where_a_job_is_shown(site: Site) -> None:
    address = f"{JOBS}/{(submit(site).json or {})['id']}"
    answer = post(site, address, json={})
    assert (answer.status_code, sorted(answer.headers["Allow"].split(", "))) == (405, ["GET", "HEAD", "OPTIONS"])


def test_a_finished_job_is_shown_with_its_result_and_nobody_has_to_ask_again(site: Site) -> None:
    job = site.submit("report.build", {"title": "Mine"})
    site.work("report.build")
    answer = get(site, f"{JOBS}/{job['id']}")
    done = answer.json or {}
    assert (done["state"], done["attempt"], done["progress"]) == ("succeeded", 1, {"percent": 100, "note": None})
    assert [file["name"] for file in done["artifacts"]] == ["jobs.csv", "manifest.json"]
    assert "Retry-After" not in answer.headers


def test_the_history_tells_every_state(site: Site) -> None:
    job = site.submit("report.build", {"title": "Mine"})
    site.work("report.build")
    events = (get(site, f"{JOBS}/{job['id']}/events").json or {})["events"]
    assert [(each["seq"], each["from_state"], each["to_state"]) for each in events] == [
        (1, None, "queued"),
        (2, "queued", "running"),
        (3, "running", "succeeded"),
    ]


def test_each_effect_is_planned_before_anything_is_done(site: Site) -> None:
    mail = {"to": ["a@example.com", "b@example.com"], "subject": "s", "text": "t"}
    job = site.submit("email.send", mail)
    effects = (get(site, f"{JOBS}/{job['id']}/effects").json or {})["effects"]
    assert [(each["effect_key"], each["state"]) for each in effects] == [
        ("a@example.com", "pending"),
        ("b@example.com", "pending"),
    ]
    assert job["effects"] == {"done": 0, "pending": 2, "refused": 0, "unknown": 0, "held": 0}


def test_why_it_waits_is_a_code_a_sentence_and_evidence(site: Site) -> None:
    job = submit(site, delay=600).json or {}
    why = get(site, f"{JOBS}/{job['id']}/why").json or {}
    assert why["code"] == "not_due"
    assert re.fullmatch(r"It is to begin in (600|59\d) s\.", why["sentence"])
    assert "run_at" in why["evidence"]


def test_a_job_is_cancelled_once(site: Site) -> None:
    job = submit(site).json or {}
    first, second = (post(site, f"{JOBS}/{job['id']}/cancel") for _ in range(2))
    assert (first.status_code, (first.json or {})["state"]) == (200, "cancelled")
    assert (second.status_code, second.get_json(force=True)["code"]) == (409, "conflict")


@pytest.mark.parametrize("body", [{}, {"effects": []}, {"effects": {"x": "resend"}}, {"effects": {}, "more": 1}])
def test_what_is_no_answer_to_an_effect_is_422(site: Site, body: dict[str, Any]) -> None:
    job = submit(site).json or {}
    assert post(site, f"{JOBS}/{job['id']}/resolve", json=body).status_code == 422


def walk(site: Site, **query: Any) -> list[list[str]]:
    """The ids of every page of a list."""
    pages: list[list[str]] = []
    while True:
        found = get(site, JOBS, **query).json or {}
        pages.append([job["id"] for job in found["jobs"]])
        if found["next_cursor"] is None:
            return pages
        query["cursor"] = found["next_cursor"]


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 1]), (4, [4]), (5, [4]), (200, [4])]
)
def test_a_walk_over_the_list_meets_each_job_once_newest_first(site: Site, limit: int, sizes: list[int]) -> None:
    tag = uuid4().hex
    jobs = [(submit(site, tag=tag).json or {})["id"] for _ in range(4)][::-1]
    pages = walk(site, tag=tag, limit=limit)
    assert [len(page) for page in pages] == sizes
    assert [job_id for page in pages for job_id in page] == jobs


def test_a_job_that_comes_during_a_walk_disturbs_it_not(site: Site) -> None:
    tag = uuid4().hex
    jobs = [(submit(site, tag=tag).json or {})["id"] for _ in range(2)]
    first = get(site, JOBS, tag=tag, limit=1).json or {}
    submit(site, tag=tag)
    second = get(site, JOBS, tag=tag, limit=1, cursor=first["next_cursor"]).json or {}
    assert [job["id"] for job in first["jobs"] + second["jobs"]] == jobs[::-1]


def test_the_list_is_filtered_by_what_is_known_of_a_job(site: Site) -> None:
    tag = uuid4().hex
    early = (submit(site, tag=[tag, "extra"]).json or {})["id"]
    middle = (get(site, f"{JOBS}/{early}").json or {})["created_at"]
    late = (submit(site, tag=tag, delay=60).json or {})["id"]

    def found(**query: Any) -> list[str]:
        return [job_id for page in walk(site, tag=query.pop("tag", tag), **query) for job_id in page]

    assert found(state="scheduled") == [late]
    assert found(state=["scheduled", "queued"]) == [late, early]
    assert (found(kind="data.process"), found(kind="email.send")) == ([late, early], [])
    assert (found(tag=[tag, "extra"]), found(tag=tag[:-1])) == ([early], [])
    assert (found(created_after=middle), found(created_before=middle)) == ([late], [])
