"""Reports for programs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site

PERIOD = {"name": "period", "type": "period", "label": "Period", "default": "last_month"}
WORDING = {
    "title": "By kind",
    "sql": "SELECT kind, count(*) AS n FROM jobs WHERE created_at >= $period_from GROUP BY kind",
    "parameters": [PERIOD],
    "chart": {"kind": "bar", "x": "kind", "y": ["n"]},
}


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


def write(ask: Ask, **changes: Any) -> dict[str, Any]:
    return body(ask("POST", "/reports", json={"name": f"r{uuid4().hex}", **WORDING, **changes}), 201)


def test_it_is_written_listed_and_shown(ask: Ask) -> None:
    name = f"r{uuid4().hex}"
    answer = ask("POST", "/reports", json={"name": name, **WORDING})
    report = body(answer, 201)
    assert (answer.location, answer.headers["ETag"]) == (report["links"]["self"], '"1"')
    assert (report["version"], report["source"], report["chart"]) == (1, "data", WORDING["chart"])
    assert body(ask("GET", report["links"]["self"].removeprefix("/api/v1"))) == report
    listed = body(ask("GET", "/reports"))
    assert name in [each["name"] for each in listed["reports"]]
    assert (listed["built_in"], listed["sources"]) == (["jobs", "receipts"], ["data"])


def test_a_change_is_a_version_and_if_match_guards_it(ask: Ask) -> None:
    path = f"/reports/{write(ask)['id']}"
    changed = body(ask("PATCH", path, json={"title": "Changed", "chart": None}, headers={"If-Match": '"1"'}))
    assert (changed["version"], changed["title"], changed["chart"]) == (2, "Changed", None)
    assert changed["parameters"][0]["name"] == "period"
    body(ask("PATCH", path, json={"title": "Late"}, headers={"If-Match": '"1"'}), 412)
    versions = body(ask("GET", f"{path}/versions"))["versions"]
    assert [(each["version"], each["title"]) for each in versions] == [(2, "Changed"), (1, "By kind")]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"sql": "DROP TABLE jobs"}, "/sql"),
        ({"sql": "SELECT $other"}, "/sql"),
        ({"source": "shop"}, "/source"),
        ({"parameters": [{**PERIOD, "type": "month"}]}, "/parameters/0/type"),
        ({"owner_id": "x"}, "/owner_id"),
    ],
)
def test_what_cannot_work_is_refused_at_its_place(ask: Ask, change: dict[str, Any], pointer: str) -> None:
    problem = body(ask("POST", "/reports", json={"name": "x", **WORDING, **change}), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]


def test_a_draft_is_looked_at(ask: Ask) -> None:
    parameters = [{"name": "city", "type": "text", "label": "City"}]
    asked = {"title": "T", "sql": "SELECT $city AS city, 2 AS n", "parameters": parameters}
    draft = {**asked, "values": {"city": "Bern"}}
    look = body(ask("POST", "/reports/preview", json=draft))
    assert look == {
        "columns": [{"name": "city", "type": "text"}, {"name": "n", "type": "integer"}],
        "rows": [["Bern", "2"]],
        "more": False,
    }


def test_it_is_built_by_its_name(site: Site, ask: Ask) -> None:
    report = write(ask)
    payload = {"report": report["name"], "parameters": {"period": "this_year"}, "format": "json"}
    job = site.submit("report.build", payload)
    assert job["payload"]["report"] == f"{report['name']}@1"
    site.work("report.build")
    done = body(ask("GET", f"/jobs/{job['id']}"))
    assert (done["state"], done["result"]["report"]) == ("succeeded", report["name"])
    missing = ask("POST", "/jobs/report.build", json={"report": "nowhere"})
    assert body(missing, 422)["errors"][0]["pointer"] == "/report"


def test_it_is_deleted(ask: Ask) -> None:
    path = f"/reports/{write(ask)['id']}"
    assert ask("DELETE", path).status_code == 204
    assert ask("GET", path).status_code == 404
