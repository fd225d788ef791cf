"""Templates for programs: written, changed version by version, and read before they are mailed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site

WORDING = {"subject": "For {{First_name}}", "html": "<p>You owe {{sum}}.</p>"}


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


def write(ask: Ask, **changes: Any) -> dict[str, Any]:
    return body(ask("POST", "/templates", json={"name": f"t{uuid4().hex}", **WORDING, **changes}), 201)


def test_it_is_written_and_says_which_values_it_needs(ask: Ask) -> None:
    name = f"t{uuid4().hex}"
    answer = ask("POST", "/templates", json={"name": name, **WORDING})
    written = body(answer, 201)
    assert (answer.location, answer.headers["ETag"]) == (written["links"]["self"], '"1"')
    assert (written["version"], written["placeholders"], written["layout"]) == (1, ["first_name", "sum"], True)
    assert body(ask("GET", written["links"]["self"].removeprefix("/api/v1"))) == written
    assert name in [each["name"] for each in body(ask("GET", "/templates"))["templates"]]


def test_a_change_is_a_new_version_and_the_old_one_stays(ask: Ask) -> None:
    path = f"/templates/{write(ask)['id']}"
    changed = body(ask("PATCH", path, json={"subject": "Hello"}))
    assert (changed["version"], changed["subject"], changed["html"]) == (2, "Hello", WORDING["html"])
    replaced = body(ask("PUT", path, json={"subject": "Goodbye", "text": "Bye."}))
    assert (replaced["version"], replaced["html"], replaced["placeholders"]) == (3, "", [])
    listed = body(ask("GET", f"{path}/versions"))["versions"]
    assert [(each["version"], each["subject"]) for each in listed] == [
        (3, "Goodbye"), (2, "Hello"), (1, WORDING["subject"]),
    ]  # fmt: skip
    first = body(ask("GET", f"{path}/versions/1"))
    assert (first["subject"], first["placeholders"]) == (WORDING["subject"], ["first_name", "sum"])


@pytest.mark.parametrize("number", ["0", "4", "-1", "x", "1.0", "99999999999999999999", "9" * 5000])
def test_a_version_that_is_not_there_is_404(ask: Ask, number: str) -> None:
    assert ask("GET", f"/templates/{write(ask)['id']}/versions/{number}").status_code == 404


@pytest.mark.parametrize(("verb", "change"), [("PATCH", {"subject": "B"}), ("PUT", {"subject": "B", "text": "b"})])
def test_if_match_guards_against_another_editor(ask: Ask, verb: str, change: dict[str, str]) -> None:
    path = f"/templates/{write(ask)['id']}"
    tag = ask("GET", path).headers["ETag"]
    first = ask(verb, path, json=change, headers={"If-Match": tag})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    late = body(ask(verb, path, json=change, headers={"If-Match": tag}), 412)
    assert late["code"] == "precondition_failed"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "No Spaces"}, "/name"),
        ({"subject": ""}, "/subject"),
        ({"subject": "a\nb"}, "/subject"),
        ({"html": "{{not closed"}, "/html"),
        ({"html": " "}, "/html"),
        ({"layout": "yes"}, "/layout"),
        ({"version": 7}, "/version"),
    ],
)
def test_what_is_wrong_is_named(ask: Ask, change: dict[str, Any], pointer: str) -> None:
    answer = body(ask("POST", "/templates", json={"name": "x", **WORDING, **change}), 422)
    assert [fault["pointer"] for fault in answer["errors"]] == [pointer]


def test_a_name_is_taken_once_and_by_another_person_again(site: Site, ask: Ask) -> None:
    name = write(ask)["name"]
    assert ask("POST", "/templates", json={"name": name, **WORDING}).status_code == 409
    assert write(asking(site, site.eve.headers), name=name)["name"] == name


def test_a_preview_fills_in_what_it_is_given_and_names_the_rest(ask: Ask) -> None:
    path = f"/templates/{write(ask)['id']}/preview"
    said = body(ask("POST", path, json={"values": {"first_name": "Ada <3"}}))
    assert (said["subject"], said["missing"]) == ("For Ada <3", ["sum"])
    assert "You owe [sum]." in said["html"]
    assert "You owe [sum]." in said["text"]


def test_a_wording_can_be_read_before_it_is_saved(ask: Ask) -> None:
    count = len(body(ask("GET", "/templates"))["templates"])
    said = body(ask("POST", "/templates/preview", json={**WORDING, "values": {"SUM": "5", "first_name": "Ada"}}))
    assert (said["missing"], "You owe 5." in said["html"]) == ([], True)
    assert len(body(ask("GET", "/templates"))["templates"]) == count
    broken = body(ask("POST", "/templates/preview", json={"subject": "x", "html": "}}"}), 422)
    assert [fault["pointer"] for fault in broken["errors"]] == ["/html"]


def test_it_is_deleted(ask: Ask) -> None:
    path = f"/templates/{write(ask)['id']}"
    assert [ask(verb, path).status_code for verb in ("DELETE", "GET", "DELETE")] == [204, 404, 404]
