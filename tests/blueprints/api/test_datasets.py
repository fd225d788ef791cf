"""Datasets by the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site
from webapi.models import Report, ReportVersion
from webapi.models.transaction import writing
from webapi.services import keys

CSV = b"city;amount\nK\xc3\xb6ln;3,50\nBonn;4,25\n"


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


def hand_in(site: Site, ask: Ask, file_name: str, data: bytes = CSV, **query: str) -> dict[str, Any]:
    """A dataset that has been inspected."""
    made = body(ask("POST", "/datasets", query_string={"file_name": file_name, **query}, data=data), 202)
    return settled(site, ask, made)


def settled(site: Site, ask: Ask, made: dict[str, Any]) -> dict[str, Any]:
    """The dataset when it has been inspected."""
    while (found := body(ask("GET", f"/datasets/{made['id']}")))["state"] == "inspecting":
        site.work("dataset.inspect")
    return found


def test_a_file_becomes_a_table(site: Site, ask: Ask) -> None:
    answer = ask("POST", "/datasets", query_string={"file_name": "Sales 2026.csv"}, data=CSV)
    made = body(answer, 202)
    assert answer.headers["Location"] == made["links"]["self"] == f"/api/v1/datasets/{made['id']}"
    assert (made["name"], made["format"], made["size"]) == ("sales_2026", "csv", len(CSV))
    assert (made["state"], made["rows"], made["columns"]) == ("inspecting", None, [])
    done = settled(site, ask, made)
    assert (done["state"], done["rows"], done["problem"], done["used_by"]) == ("ready", 2, None, [])
    assert done["columns"] == [{"name": "city", "type": "text"}, {"name": "amount", "type": "number"}]
    assert done["read_as"] == {
        "delimiter": ";", "quote": '"', "encoding": "utf-8", "header": True, "skip": 0, "decimal": ","
    }  # fmt: skip
    preview = body(ask("GET", f"/datasets/{made['id']}/preview"))
    assert preview == {"columns": done["columns"], "rows": [["Köln", 3.5], ["Bonn", 4.25]]}


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-www-form-urlencoded", "application/json", ""])
def test_the_body_is_the_file_whatever_it_is_called(site: Site, ask: Ask, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    query = {"file_name": "x.csv"}
    made = body(ask("POST", "/datasets", query_string=query, data=CSV, headers=headers), 202)
    assert made["size"] == len(CSV)


@pytest.mark.parametrize(
    ("query", "data", "status", "says"),
    [
        ({}, CSV, 400, "file_name"),
        ({"file_name": "x.csv", "owner_id": "1"}, CSV, 400, "owner_id"),
        ({"file_name": "x.csv", "name": "Sales"}, CSV, 422, "lower-case"),
        ({"file_name": "x.csv", "name": "receipts"}, CSV, 422, "something else"),
        ({"file_name": "x.csv"}, b"", 422, "The file is empty."),
        ({"file_name": "x.png"}, b"\x89PNG\r\n\x1a\n", 422, "a PNG picture"),
    ],
)
def test_what_is_refused_has_its_sentence(ask: Ask, query: dict[str, str], data: bytes, status: int, says: str) -> None:
    problem = body(ask("POST", "/datasets", query_string=query, data=data), status)
    assert says in problem["detail"] + "".join(each["message"] for each in problem["errors"])


def test_a_form_around_the_file_is_told(ask: Ask) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    problem = body(ask("POST", "/datasets", query_string={"file_name": "x.csv"}, data=CSV, headers=headers), 400)
    assert "without a form around them" in problem["detail"]


def test_a_name_is_given_once(site: Site, ask: Ask) -> None:
    hand_in(site, ask, "x.csv", name="once")
    problem = body(ask("POST", "/datasets", query_string={"file_name": "y.csv", "name": "once"}, data=CSV), 409)
    assert problem["detail"] == "You have a dataset called 'once' already."
    assert "once" in [each["name"] for each in body(ask("GET", "/datasets"))["datasets"]]


def test_what_was_read_wrongly_is_corrected_and_renamed(site: Site, ask: Ask) -> None:
    made = hand_in(site, ask, "ids.csv", b"id,day\n7,01/02/2026\n")
    change = {"name": "numbers", "options": {"date_format": "%d/%m/%Y", "types": {"id": "text"}}}
    changed = body(ask("PATCH", f"/datasets/{made['id']}", json=change))
    assert (changed["name"], changed["state"], changed["options"]) == ("numbers", "inspecting", change["options"])
    settled(site, ask, made)
    assert body(ask("GET", f"/datasets/{made['id']}/preview"))["rows"] == [["7", "2026-02-01"]]


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"options": {"delimiter": ";;"}}, 422, "/options/delimiter"),
        ({"options": {"types": {"a": "uuid"}}}, 422, "/options/types/a"),
        ({"options": {"path": "/etc/passwd"}}, 422, "/options/path"),
        ({"name": "data"}, 422, "/name"),
        ({"state": "ready"}, 422, "/state"),
        ({"table_sha256": "0" * 64}, 422, "/table_sha256"),
    ],
)
def test_what_cannot_be_changed_has_its_place(
    site: Site, ask: Ask, change: dict[str, Any], status: int, pointer: str
) -> None:
    made = hand_in(site, ask, "fixed.csv")
    problem = body(ask("PATCH", f"/datasets/{made['id']}", json=change), status)
    assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert body(ask("GET", f"/datasets/{made['id']}"))["state"] == "ready"


def test_a_format_has_options_of_its_own(site: Site, ask: Ask) -> None:
    made = hand_in(site, ask, "list.json", b'[{"a": 1}]')
    problem = body(ask("PATCH", f"/datasets/{made['id']}", json={"options": {"delimiter": ";"}}), 422)
    assert problem["errors"] == [{"pointer": "/options/delimiter", "message": "A file in JSON has no delimiter."}]


def test_another_file_takes_its_place(site: Site, ask: Ask) -> None:
    made = hand_in(site, ask, "march.csv")
    query = {"file_name": "april.csv"}
    body(ask("PUT", f"/datasets/{made['id']}/file", query_string=query, data=b"a\n1\n2\n3\n"), 202)
    done = settled(site, ask, made)
    assert (done["name"], done["file_name"], done["rows"]) == ("march", "april.csv", 3)


def test_what_reports_read_is_named_before_it_is_deleted(site: Site, ask: Ask) -> None:
    made = hand_in(site, ask, "needed.csv")
    report = uses(site, made["id"])
    used_by = body(ask("GET", f"/datasets/{made['id']}"))["used_by"]
    assert used_by == [{"report": str(report), "name": "Monthly"}]
    problem = body(ask("DELETE", f"/datasets/{made['id']}"), 409)
    assert problem["dependents"] == used_by
    assert ask("DELETE", f"/datasets/{made['id']}", query_string={"dependents": "maybe"}).status_code == 400
    assert ask("DELETE", f"/datasets/{made['id']}", query_string={"dependents": "keep"}).status_code == 204
    assert ask("GET", f"/datasets/{made['id']}").status_code == 404


def test_a_test_key_may_try_it(site: Site) -> None:
    with site.app.app_context():
        headers = {"Authorization": f"Bearer {keys.create(site.ada.row, 'trial', test=True)}"}
    made = hand_in(site, asking(site, headers), "trial.csv")
    assert made["state"] == "ready"


def test_another_person_sees_nothing(site: Site, ask: Ask) -> None:
    made = hand_in(site, ask, "secret.csv")
    eves = asking(site, site.eve.headers)
    assert eves("GET", f"/datasets/{made['id']}/preview").status_code == 404
    assert body(eves("GET", "/datasets"))["datasets"] == []


def uses(site: Site, dataset_id: str) -> UUID:
    """A report of Ada's that reads it."""
    report_id = uuid7()
    with site.app.app_context(), writing() as session:
        session.add(Report(id=report_id, owner_id=site.ada.id, name="Monthly"))
        session.flush()
        version = {"title": "Monthly", "source": "data", "sql": "FROM t", "datasets": [["t", dataset_id]]}
        session.add(ReportVersion(report_id=report_id, version=1, **version))
    return report_id
