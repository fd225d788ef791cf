"""The query string is read as strictly as the body: what is not exactly right is 400, and never 500."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Browser, Site

SUBMIT = "/api/v1/jobs/data.process"
LIST = "/api/v1/jobs"


def submit(site: Site, query: str) -> TestResponse:
    return site.program.post(f"{SUBMIT}?{query}", json={"data": 1}, headers=site.ada.headers)


def listed(site: Site, query: str) -> TestResponse:
    return site.program.get(f"{LIST}?{query}", headers=site.ada.headers)


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1", "Delay=1", "delay", "delay=", "delay=-1", "delay=soon", "delay=1&delay=2", "delay=1e400",
        "delay=inf", "delay=nan", f"delay={367 * 86400}", "delay=0x10", "priority=10",
        "priority=-1", "priority=1.5", "priority=%00",
        "run_at=tomorrow", "run_at=2030-01-01", "run_at=2030-01-01T00:00:00", "run_at=2030-02-30T00:00:00Z",
        "run_at=10000-01-01T00:00:00Z", "deadline=never", "tag=", "tag=a%20b", "tag=a%00", "tag=a%0A", "tag=%3Cb%3E",
        "tag=" + "x" * 61, "&".join(f"tag=t{number}" for number in range(11)),
    ],
)  # fmt: skip
def test_how_a_job_is_to_run_is_read_strictly(site: Site, query: str) -> None:
    answer = submit(site, query)
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1", "limit=0", "limit=201", "limit=-1", "limit=ten", "limit=5&limit=5", "state=pending",
        "state=QUEUED", "created_after=yesterday", "created_before=2030-01-01T00:00:00", "tag=a%20b", "cursor=",
        "cursor=%00", "cursor=é", "cursor=AAAA", "cursor=" + "A" * 23, "cursor=01900000-0000-7000-8000-000000000000",
        "kind=" + "x" * 101,
    ],
)  # fmt: skip
def test_what_to_list_is_read_strictly(site: Site, query: str) -> None:
    answer = listed(site, quote(query, safe="=&%"))
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "malformed")


def test_a_parameter_that_is_not_known_is_named_with_those_that_are(site: Site) -> None:
    sentence = (submit(site, "dellay=5").json or {})["detail"]
    assert sentence.startswith("There is no parameter 'dellay' here. Known are: delay, run_at,")


@pytest.mark.parametrize(
    "query",
    ["", "delay=0", "delay=1.5", "priority=9", "run_at=2030-01-01T00:00:00Z", "run_at=2030-01-01T00:00:00%2B05:30",
     "run_at=1970-01-01T00:00:00Z", "tag=a&tag=b:c/d.e-f%2B1", "tag=%C3%A9t%C3%A9", "deadline=2100-01-01T00:00:00Z"],
)  # fmt: skip
def test_what_is_right_is_accepted(site: Site, query: str) -> None:
    assert submit(site, query).status_code == 202


EDGES = ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("name", ["run_at", "deadline"])
@pytest.mark.parametrize("moment", EDGES)
def test_a_moment_at_the_edge_of_time_is_no_500(site: Site, name: str, moment: str) -> None:
    assert submit(site, f"{name}={moment}").status_code in {202, 400}


@pytest.mark.parametrize("name", ["created_after", "created_before"])
@pytest.mark.parametrize("moment", EDGES)
def test_a_list_up_to_the_edge_of_time_is_no_500(site: Site, name: str, moment: str) -> None:
    assert listed(site, f"{name}={moment}").status_code in {200, 400}


@pytest.mark.parametrize("path", ["/api/v1/jobs?kind=%00", "/api/v1/jobs?kind=a%00b"])
def test_a_nul_in_the_filter_of_a_program_is_no_500(site: Site, path: str) -> None:
    assert site.program.get(path, headers=site.ada.headers).status_code in {200, 400}


@pytest.mark.parametrize("path", ["/jobs?kind=%00", "/jobs?tag=%00"])
def test_a_nul_in_the_filter_of_a_page_is_no_500(
    site: Site, browser: Browser, path: str, request: pytest.FixtureRequest
) -> None:
    assert browser.get(path).status_code in {200, 400}


def test_a_nul_in_the_name_of_a_file_is_no_500(site: Site) -> None:
    job = site.submit("data.process", {"data": 1})
    answer = site.program.get(f"/api/v1/jobs/{job['id']}/artifacts/a%00b", headers=site.ada.headers)
    assert answer.status_code in {400, 404}


def test_a_filter_of_the_page_that_was_left_empty_counts_as_not_given(browser: Browser) -> None:
    assert browser.get("/jobs?kind=&state=").status_code == 200
    assert browser.get("/jobs?kind=&state=pending").status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/kinds", "/api/v1/me", "/api/v1/kinds/data.process"])
def test_a_path_without_parameters_takes_none(site: Site, path: str) -> None:
    assert site.program.get(f"{path}?nonsense=1", headers=site.ada.headers).status_code == 400
