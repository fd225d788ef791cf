"""The page of an `http.call` shows the answer; other kinds' results look as ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from tests.blueprints.site import Browser, Site
from tests.http_server import Act, HttpServer, http_server
from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import now
from webapi.services.http import KEPT

EVIL = '<script>alert("1")</script></code></pre><img src=x onerror=alert(1)>'


@pytest.fixture
def service(site: Site) -> Iterator[HttpServer]:
    before = site.app.config["CALL_PRIVATE"]
    with http_server() as server:
        site.app.config["CALL_PRIVATE"] = [server.place]
        yield server
        site.app.config["CALL_PRIVATE"] = before


def page_of(site: Site, browser: Browser, service: HttpServer, act: Act, **payload: Any) -> str:
    """The page of a call that the service answers so."""
    service.plan(act)
    job = site.submit("http.call", {"url": service.url(), **payload})
    site.work("http.call")
    return browser.get(f"/jobs/{job['id']}").text


def answer_on(page: str) -> str:
    found = re.search(r'<section id="answer">.*?</section>', page, re.DOTALL)
    assert found is not None, page
    return found[0]


def test_status_time_headers_and_body_are_shown(site: Site, browser: Browser, service: HttpServer) -> None:
    page = page_of(site, browser, service, Act(201, (("X-Request-Id", "r-17"),), b'{"made": true}'))
    answer = answer_on(page)
    assert '<span class="state done">201 Created</span>' in answer
    assert re.search(r"<dd>0\.\d{3} s</dd>", answer)
    assert "<dt>x-request-id</dt><dd>r-17</dd>" in answer
    assert "{&#34;made&#34;: true}</code></pre>" in answer
    assert "first 64 KB" not in answer
    assert "<h2>Result</h2>" not in page


@pytest.mark.parametrize("status", [200, 404])
def test_what_a_stranger_answers_is_text_and_nothing_else(
    site: Site, browser: Browser, service: HttpServer, status: int
) -> None:
    page = page_of(site, browser, service, Act(status, (("ETag", EVIL), ("Location", EVIL)), EVIL.encode()))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert answer_on(page).count("&lt;script&gt;alert") == 3


def test_the_answer_that_a_job_failed_by_is_shown(site: Site, browser: Browser, service: HttpServer) -> None:
    answer = answer_on(page_of(site, browser, service, Act(422, body=b"because of the name")))
    assert '<span class="state refused">422 Unprocessable' in answer
    assert "because of the name" in answer


@pytest.mark.parametrize(("size", "cut"), [(KEPT, False), (KEPT + 1, True), (3_000_000, True)])
def test_a_body_that_was_cut_says_so(site: Site, browser: Browser, service: HttpServer, size: int, cut: bool) -> None:
    answer = answer_on(page_of(site, browser, service, Act(body=b"x" * size)))
    assert ("first 64 KB" in answer, answer.count("x" * KEPT)) == (cut, 1)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (Act(204, (("Content-Length", "0"),), b""), "The body was empty."),
        (Act(headers=(("Content-Encoding", "gzip"),), body=b"\x1f\x8b"), "compressed and was not unpacked"),
        (Act(599), "599</span>"),
    ],
    ids=["empty", "compressed", "unknown status"],
)
def test_other_answers_are_said_in_words(
    site: Site, browser: Browser, service: HttpServer, act: Act, words: str
) -> None:
    expected = {"expected_status": act.status}
    assert words in answer_on(page_of(site, browser, service, act, **expected))


def test_the_receipt_of_an_earlier_attempt_is_an_answer_too(site: Site, browser: Browser, service: HttpServer) -> None:
    job = site.submit("http.call", {"url": service.url()})
    site.work("http.call")
    with site.app.app_context():
        db.session.execute(update(Job).values(result={"status": 200, "body": "kept"}))
        db.session.commit()
    answer = answer_on(browser.get(f"/jobs/{job['id']}").text)
    assert "200 OK" in answer
    assert "kept</code>" in answer


def test_an_uncertain_call_does_not_say_that_it_was_sent_once(
    site: Site, browser: Browser, service: HttpServer
) -> None:
    service.plan(Act(does="hang up", stores=True))
    job = site.submit("http.call", {"url": service.url()})
    with site.app.app_context():
        db.session.execute(update(Job).where(Job.state == "queued").values(attempt_budget=1))
        db.session.commit()
    site.work("http.call")
    page = browser.get(f"/jobs/{job['id']}").text
    assert "each try had the same webhook-id" in page
    assert "nothing was sent twice" not in page


def test_a_result_that_only_looks_like_one_is_shown_as_any_other(site: Site, browser: Browser) -> None:
    job = site.submit("data.process", {"data": [{"status": 1}]})
    site.work("data.process")
    page = browser.get(f"/jobs/{job['id']}").text
    assert "<h2>Result</h2>" in page
    assert 'id="answer"' not in page


# What the version that came before kept of jobs that it accepted, and what they ended with.
FIGURES = {"nulls": 0, "distinct": 1, "min": "1", "max": "1"}
PROFILE = {"rows": 1, "columns": [{"name": "value", "type": "BIGINT", **FIGURES}]}
MANIFEST = {
    "title": "My jobs", "parameters": {"days": 30, "kind": None}, "data_as_of": "2026-11-20T09:00:00+00:00",
    "file": "report.csv", "rows": 1, "totals": {"attempts": 1.0}, "sha256": "0" * 64, "completeness": "complete",
}  # fmt: skip
REPORT = {"title": "My jobs", "days": 30, "kind": None, "format": "csv", "mail_me": False}
SENT = {"method": "POST", "headers": {"authorization": "Bearer canary", "X-Source": "shop"}, "data": None, "text": ""}
CALL = {"url": "https://example.com/", "expected_status": None, **SENT}


@pytest.mark.parametrize(
    ("kind", "given", "kept", "result", "words"),
    [
        ("data.process", {"data": [1]}, {"data": [1], "file": None}, PROFILE, "BIGINT"),
        ("report.build", {}, REPORT, MANIFEST, "data_as_of"),
        ("http.call", {"url": CALL["url"]}, CALL, {"status": 200, "body": "kept"}, "X-Source"),
    ],
)
def test_the_page_of_a_job_that_was_accepted_before_is_drawn(
    site: Site, browser: Browser, kind: str, given: Any, kept: Any, result: Any, words: str
) -> None:
    job_id = site.submit(kind, given)["id"]
    over = {"state": "succeeded", "finished_at": now(), "payload": kept, "result": result}
    with site.app.app_context():
        db.session.execute(update(Job).where(Job.id == UUID(job_id)).values(over))
        db.session.commit()
    page = browser.get(f"/jobs/{job_id}")
    told = site.program.get(f"/api/v1/jobs/{job_id}", headers=site.ada.headers)
    assert (page.status_code, told.status_code) == (200, 200)
    assert words in page.text
    assert "canary" not in page.text + told.text
