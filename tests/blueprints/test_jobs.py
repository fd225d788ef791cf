"""Pages: the overview, the kinds, the list, and one job with all that is known of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.blueprints.site import Browser, Site

NONCE = re.compile(r'name="nonce" value="([0-9a-f]{32})"')


def test_the_first_page_helps_who_has_no_jobs_yet(site: Site) -> None:
    page = Browser(site.app, site.eve).get("/").text
    assert "Submit your first job" in page
    assert 'href="/new"' in page


def test_the_overview_counts_by_state_and_shows_what_needs_somebody(site: Site, browser: Browser) -> None:
    site.submit("data.process", {"file": None, "data": 1}, delay=3600)
    page = browser.get("/").text
    assert 'href="/jobs?state=scheduled"' in page


def test_only_kinds_that_are_open_are_offered(browser: Browser) -> None:
    page = browser.get("/new").text
    assert re.findall(r'href="/new/([\w.]+)"', page) == [
        "data.process",
        "email.bulk",
        "email.digest",
        "email.send",
        "http.call",
        "image.resize",
        "report.build",
    ]


@pytest.mark.parametrize("kind", ["email.welcome", "test.note", "no.such", "x"])
def test_a_kind_that_is_not_open_has_no_form(browser: Browser, kind: str) -> None:
    assert browser.get(f"/new/{kind}").status_code == 404
    assert browser.post(f"/new/{kind}", {"data": "1"}).status_code == 404


def submit(browser: Browser, **fields: Any) -> str:
    """The id of a job that a form submitted."""
    answer = browser.post("/new/data.process", {"data": "[1]", **fields})
    assert answer.status_code == 303, answer.text
    return (answer.location or "").rpartition("/")[2]


def test_a_form_submits_and_leads_to_its_job(browser: Browser) -> None:
    job_id = submit(browser)
    page = browser.get(f"/jobs/{job_id}")
    assert page.status_code == 200
    assert job_id in page.text


def test_a_form_that_is_sent_twice_is_one_job(browser: Browser) -> None:
    (nonce,) = NONCE.findall(browser.get("/new/data.process").text)
    assert submit(browser, nonce=nonce) == submit(browser, nonce=nonce)


def test_a_form_that_was_changed_and_sent_again_says_so(browser: Browser) -> None:
    (nonce,) = NONCE.findall(browser.get("/new/data.process").text)
    submit(browser, nonce=nonce)
    answer = browser.post("/new/data.process", {"data": "[2]", "nonce": nonce})
    assert answer.status_code == 422
    assert "This idempotency key was used for another request." in answer.text


def test_each_drawing_of_a_form_is_another_job(browser: Browser) -> None:
    first, second = (NONCE.findall(browser.get("/new/data.process").text) for _ in range(2))
    assert first != second


def test_a_form_may_ask_for_later(site: Site, browser: Browser) -> None:
    job_id = submit(browser, delay="3600")
    assert site.job(job_id).state == "scheduled"
    assert "It is to begin in" in browser.get(f"/jobs/{job_id}").text


@pytest.mark.parametrize("delay", ["-1", "soon", "nan", "inf", "1e400", str(367 * 86400)])
def test_a_delay_that_makes_no_sense_is_refused(browser: Browser, delay: str) -> None:
    answer = browser.post("/new/data.process", {"data": "[1]", "delay": delay})
    assert answer.status_code == 422
    assert 'class="fault"' in answer.text


def test_a_waiting_job_is_cancelled_by_its_button(site: Site, browser: Browser) -> None:
    job_id = submit(browser)
    assert browser.post(f"/jobs/{job_id}/cancel").location == f"/jobs/{job_id}"
    page = browser.get(f"/jobs/{job_id}").text
    assert (site.job(job_id).state, "The job is cancelled." in page) == ("cancelled", True)
    assert f"/jobs/{job_id}/replay" in page


def test_what_is_over_cannot_be_cancelled(browser: Browser) -> None:
    job_id = submit(browser)
    browser.post(f"/jobs/{job_id}/cancel")
    again = browser.post(f"/jobs/{job_id}/cancel")
    assert again.status_code == 409
    assert "there is nothing left to cancel" in again.text


def test_a_job_that_is_over_shows_its_result_its_files_and_its_history(site: Site, browser: Browser) -> None:
    job = site.submit("report.build", {"title": "Mine"})
    site.work("report.build")
    page = browser.get(f"/jobs/{job['id']}").text
    assert f"/jobs/{job['id']}/artifacts/jobs.csv" in page
    assert re.findall(r'<li class="(\w+)">', page) == ["queued", "running", "succeeded"]
    assert "every 1s" not in page


def test_a_job_that_waits_asks_again_by_itself_and_says_why(site: Site, browser: Browser) -> None:
    job = site.submit("email.send", {"to": ["a@example.com"], "subject": "s", "text": "t"})
    page = browser.get(f"/jobs/{job['id']}").text
    assert 'hx-trigger="every 1s"' in page
    assert "No living worker takes the queue &#39;email&#39;." in page


ATTACK = "<script>alert(1)</script>"


def test_everything_of_a_job_is_escaped(site: Site, browser: Browser) -> None:
    mail = {"to": ["a@example.com"], "subject": ATTACK, "text": ATTACK, "html": ATTACK}
    job = site.submit("email.send", mail)
    pages = [browser.get(path).text for path in (f"/jobs/{job['id']}", "/jobs", "/")]
    assert not [page for page in pages if ATTACK in page]
    assert "&lt;script&gt;" in pages[0]
