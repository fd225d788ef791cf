"""What a job's attempts logged, by the API and on its page."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.blueprints.site import Browser, Site
from webapi.models import AttemptLog
from webapi.models.transaction import writing

LINE = {"at": "2026-11-21T10:00:00.123Z", "level": "warning", "logger": "some.library", "text": "<b>careful</b>"}


@pytest.fixture(scope="module")
def job_id(site: Site) -> str:
    """A job that is over and whose only attempt logged something."""
    job = site.submit("report.build", {"title": "Logs"})
    site.work("report.build")
    with site.app.app_context(), writing() as session:
        session.add(AttemptLog(job_id=UUID(job["id"]), attempt=1, lines=[LINE], left_out=1234))
    found: str = job["id"]
    return found


def test_the_api_shows_them_by_attempt(site: Site, job_id: str) -> None:
    links = (site.program.get(f"/api/v1/jobs/{job_id}", headers=site.ada.headers).json or {})["links"]
    answer = site.program.get(links["logs"], headers=site.ada.headers)
    line = {**LINE, "at": "2026-11-21T10:00:00.123000Z"}
    assert answer.json == {"attempts": [{"attempt": 1, "lines": [line], "left_out": 1234}]}


def test_a_job_that_logged_nothing_has_an_empty_list(site: Site) -> None:
    job = site.submit("data.process", {"data": 1})
    assert site.program.get(f"/api/v1/jobs/{job['id']}/logs", headers=site.ada.headers).json == {"attempts": []}


def test_the_page_shows_them_escaped_and_says_what_is_missing(job_id: str, browser: Browser) -> None:
    page = browser.get(f"/jobs/{job_id}").text
    assert "10:00:00.123 WARNING some.library: &lt;b&gt;careful&lt;/b&gt;" in page
    assert "1,234 between the first and the last were not kept" in page


def test_the_page_draws_the_timeline_without_a_style(job_id: str, browser: Browser) -> None:
    page = browser.get(f"/jobs/{job_id}").text
    assert '<svg class="spans"' in page
    assert '<rect class="running" x="' in page
    assert "style=" not in page
