"""A job's file is handed out whole or in part, always to be saved and never as a page of this site."""

from __future__ import annotations

import hashlib

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Browser, Site


@pytest.fixture(scope="module")
def report(site: Site) -> str:
    """The path of an HTML file of Ada's."""
    job = site.submit("report.build", {"title": "<script>alert(1)</script>", "format": "html"})
    site.work("report.build")
    return f"/api/v1/jobs/{job['id']}/artifacts/jobs.html"


def fetch(site: Site, path: str, **headers: str) -> TestResponse:
    return site.program.get(path, headers={**site.ada.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})


def test_the_bytes_are_those_that_the_job_names(site: Site, report: str) -> None:
    job = site.program.get(report.partition("/artifacts")[0], headers=site.ada.headers).json or {}
    (named,) = [file for file in job["artifacts"] if file["name"] == "jobs.html"]
    answer = fetch(site, report)
    assert (answer.status_code, named["url"]) == (200, report)
    assert (len(answer.data), hashlib.sha256(answer.data).hexdigest()) == (named["size"], named["sha256"])


def test_a_file_is_saved_and_can_run_nothing(site: Site, report: str) -> None:
    headers = fetch(site, report).headers
    assert headers["Content-Disposition"] == "attachment; filename=jobs.html"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


def test_a_page_hands_out_the_same(browser: Browser, site: Site, report: str) -> None:
    page = browser.get(report.removeprefix("/api/v1"))
    assert (page.data, page.headers["Content-Disposition"]) == (
        fetch(site, report).data,
        "attachment; filename=jobs.html",
    )


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-9", 0, 10), ("bytes=5-", 5, None), ("bytes=-7", -7, None)]
)
def test_a_part_can_be_asked_for(site: Site, report: str, asked: str, first: int, last: int | None) -> None:
    whole = fetch(site, report).data
    part = fetch(site, report, Range=asked)
    assert (part.status_code, part.data) == (206, whole[first:last])
    assert part.headers["Content-Range"].endswith(f"/{len(whole)}")


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=5-1"])
def test_a_part_that_is_not_there_is_said_so(site: Site, report: str, asked: str) -> None:
    assert fetch(site, report, Range=asked).status_code in {200, 416}


def test_who_has_it_already_is_told_that_nothing_changed(site: Site, report: str) -> None:
    tag = fetch(site, report).headers["ETag"]
    assert fetch(site, report, If_None_Match=tag).status_code == 304


@pytest.mark.parametrize("name", ["other.csv", "..", "../jobs.html", "%2e%2e%2fjobs.html", "jobs.html%2f", ".html"])
def test_no_other_name_leads_anywhere(site: Site, report: str, name: str) -> None:
    assert fetch(site, f"{report.rpartition('/')[0]}/{name}").status_code in {404, 405, 308}
