"""The pages of reports: written with a look at their rows, built, and scheduled."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Browser, Site
from webapi.extensions import db
from webapi.models import Job, Schedule

FORM = {
    "title": "By kind",
    "source": "data",
    "sql": "SELECT kind, count(*) AS n FROM jobs WHERE created_at >= $month_from GROUP BY kind",
}
MONTH = {
    "parameter-name": "month", "parameter-type": "period", "parameter-label": "Month",
    "parameter-default": "last_month", "parameter-choices": "", "parameter-optional": "",
}  # fmt: skip


def write(browser: Browser, name: str = "", **changes: Any) -> TestResponse:
    return browser.post("/reports/new", {"name": name or f"r{uuid4().hex}", **FORM, **MONTH, **changes})


def written(browser: Browser, **changes: Any) -> str:
    answer = write(browser, **changes)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def payload(site: Site, answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 303, answer.text
    return site.job(answer.location.rpartition("/")[2]).payload


def test_whoever_has_none_sees_those_that_everybody_has(browser: Browser) -> None:
    page = browser.get("/reports").text
    assert "/reports/built-in/jobs" in page
    assert "/reports/built-in/receipts" in page


def test_a_report_is_written_and_shows_its_question(browser: Browser) -> None:
    path = written(browser, title="Sales & <more>")
    page = browser.get(path).text
    assert "Sales &amp; &lt;more&gt;" in page
    assert 'name="value-month"' in page
    assert 'value="last_month"' in page


def test_what_is_wrong_is_said_beside_what_was_typed(browser: Browser) -> None:
    answer = write(browser, sql="SELECT * FROM nowhere WHERE x = '<b>' AND y > $month_to")
    assert answer.status_code == 422
    assert "There is no table called &#39;nowhere&#39;" in answer.text
    assert "x = &#39;&lt;b&gt;&#39;" in answer.text
    assert 'value="month"' in answer.text
    assert "Choose another name" in write(browser, name="jobs").text


def test_a_change_makes_a_version_and_a_late_one_is_refused(browser: Browser) -> None:
    path = written(browser)
    change = {**FORM, **MONTH, "version": "1", "title": "Changed"}
    assert browser.post(f"{path}/edit", change).status_code == 303
    assert "Changed" in browser.get(path).text
    assert "By kind" in browser.get(f"{path}/edit?version=1").text
    late = browser.post(f"{path}/edit", {**change, "title": "Late"})
    assert (late.status_code, "Somebody changed this report meanwhile" in late.text) == (422, True)


def test_a_look_shows_rows_and_escapes_them(browser: Browser) -> None:
    form = {**FORM, "sql": "SELECT '<script>' AS a, 1.5 AS b"}
    page = browser.post("/reports/preview", form).text
    assert "&lt;script&gt;" in page
    assert "All 1 rows." in page
    assert "no parameter" in browser.post("/reports/preview", {**FORM, "sql": "SELECT $x"}).text


def test_it_is_built_with_what_was_asked(site: Site, browser: Browser) -> None:
    path = written(browser)
    answer = browser.post(
        path,
        {
            "value-month": "2026-01-01..2026-01-31",
            "format": "xlsx",
            "send_to": "bob@example.com",
            "timezone": "Europe/Zurich",
            "attach": "on",
        },
    )
    job = payload(site, answer)
    assert job["report"].endswith("@1")
    assert (job["parameters"], job["format"], job["send_to"]) == (
        {"month": "2026-01-01..2026-01-31"}, "xlsx", ["bob@example.com"],
    )  # fmt: skip
    site.work("report.build")
    assert re.search(r"2026-01-01..2026-01-31</a>", browser.get(path).text)


def test_a_parameter_that_does_not_fit_is_said_at_its_field(browser: Browser) -> None:
    answer = browser.post(written(browser), {"value-month": "whenever", "format": "csv", "timezone": "UTC"})
    assert answer.status_code == 422
    assert re.search(r'id="help-value-month"><strong class="fault">Write one of', answer.text)
    assert 'value="whenever"' in answer.text


def test_a_schedule_is_set_from_the_same_form(site: Site, browser: Browser) -> None:
    form = {"value-month": "last_month", "format": "pdf", "timezone": "Europe/Zurich", "schedule": "on", "attach": "on"}
    path = written(browser)
    answer = browser.post(path, {**form, "name": "Monthly", "cron": "0 7 1 * *"})
    assert answer.status_code == 303, answer.text
    with site.app.app_context():
        row = db.session.query(Schedule).filter_by(name="Monthly").one()
        assert (row.timezone, row.payload["parameters"], row.payload["format"]) == (
            "Europe/Zurich", {"month": "last_month"}, "pdf",
        )  # fmt: skip
    answer = browser.post(path, {**form, "name": "Monthly", "cron": "never"})
    assert (answer.status_code, "fault" in answer.text) == (422, True)


NONCE = re.compile(r'name="nonce" value="([0-9a-f]{32})"')


@pytest.mark.parametrize("button", [{}, {"schedule": "on", "name": "Twice", "cron": "0 7 1 * *"}], ids=["build", "set"])
def test_a_double_click_is_one_job_or_one_schedule(site: Site, browser: Browser, button: dict[str, str]) -> None:
    path = written(browser)
    (nonce,) = NONCE.findall(browser.get(path).text)
    form = {"value-month": "last_month", "format": "csv", "timezone": "UTC", "nonce": nonce, **button}
    first, second = browser.post(path, form), browser.post(path, form)
    assert (first.status_code, first.location) == (303, second.location)
    changed = browser.post(path, {**form, "format": "json"})
    assert (changed.status_code, "was used for another request" in changed.text) == (422, True)
    (anew,) = NONCE.findall(changed.text)
    assert browser.post(path, {**form, "format": "json", "nonce": anew}).location not in {first.location, None}


def test_what_is_built_in_is_built_too(site: Site, browser: Browser) -> None:
    assert browser.get("/reports/built-in/receipts").status_code == 200
    answer = browser.post("/reports/built-in/receipts", {"format": "json", "timezone": "UTC"})
    assert payload(site, answer)["report"] == "receipts@1"
    for method in (browser.get, browser.post):
        assert method("/reports/built-in/nothing").status_code == 404


def test_a_chart_and_choices_come_back_as_they_were_written(browser: Browser) -> None:
    choice = {
        "parameter-name": "state", "parameter-type": "choice", "parameter-label": "", "parameter-default": "",
        "parameter-choices": "failed, succeeded", "parameter-optional": "yes",
    }  # fmt: skip
    sql = "SELECT kind, count(*) AS n FROM jobs WHERE $state IS NULL OR state = $state GROUP BY kind"
    path = written(browser, sql=sql, **choice, **{"chart-kind": "bar", "chart-x": "kind", "chart-y": "n"})
    page = browser.get(f"{path}/edit").text
    for part in ('value="failed, succeeded"', "<option selected>bar</option>", 'value="kind"', "<option selected>yes"):
        assert part in page
    assert "<option>failed</option>" in re.sub(r"\s+(?=>)", "", browser.get(path).text)


def test_a_deleted_report_is_gone(browser: Browser) -> None:
    path = written(browser)
    assert browser.post(f"{path}/delete").status_code == 303
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/reports", "/reports/new", "/reports/built-in/jobs"])
def test_a_visitor_signs_in_first(visitor: Browser, path: str) -> None:
    assert "/login" in visitor.get(path).location


def test_no_job_of_another_report_is_among_its_builds(site: Site, browser: Browser) -> None:
    first, second = written(browser), written(browser)
    browser.post(first, {"value-month": "2025-01-01..2025-01-31", "format": "csv", "timezone": "UTC"})
    assert "2025-01-01..2025-01-31</a>" in browser.get(first).text
    assert "2025-01-01..2025-01-31</a>" not in browser.get(second).text
    with site.app.app_context():
        assert db.session.query(Job).filter_by(kind="report.build").count() > 0
