"""Suppressions for programs."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.blueprints.asking import Ask, asking, body
from tests.blueprints.site import Site


@pytest.fixture
def ask(site: Site) -> Ask:
    return asking(site)


def test_an_address_is_added_once_shown_and_taken_off(ask: Ask) -> None:
    address = f"{uuid4().hex}@example.com"
    answer = ask("POST", "/suppressions", json={"address": address.upper(), "detail": "asked by phone"})
    added = body(answer, 201)
    assert (added["address"], added["reason"], added["detail"]) == (address, "manual", "asked by phone")
    again = body(ask("POST", "/suppressions", json={"address": address, "detail": "once more"}))
    assert again == added
    assert body(ask("GET", (answer.location or "").removeprefix("/api/v1"))) == added
    path = f"/suppressions/{address.upper()}"
    assert [ask("DELETE", path).status_code for _ in range(2)] == [204, 404]


def test_what_it_says_keeps_mails_back_and_its_end_lets_them_go(site: Site, ask: Ask) -> None:
    address = f"{uuid4().hex}@simulator.webapi"
    ask("POST", "/suppressions", json={"address": address})
    job = site.submit("email.send", {"to": [address], "subject": "s", "text": "t"})
    site.work("email.send")
    (held,) = body(ask("GET", f"/jobs/{job['id']}/effects"))["effects"]
    assert (held["state"], held["reply"][:38]) == ("held", "This address is on your list of those ")
    assert body(ask("GET", f"/jobs/{job['id']}"))["effects"]["held"] == 1
    released = ask("POST", f"/jobs/{job['id']}/release", json={"effects": [held["id"]]})
    assert body(released, 202)["state"] == "queued"
    site.work("email.send")
    assert body(ask("GET", f"/jobs/{job['id']}"))["effects"] == {
        "done": 1, "pending": 0, "refused": 0, "unknown": 0, "held": 0,
    }  # fmt: skip
    twice = ask("POST", f"/jobs/{job['id']}/release", json={"effects": [held["id"]]})
    assert body(twice, 422)["detail"] == "Not all of these are held effects of this job."


@pytest.mark.parametrize("effects", [[], ["x"], None, "all"])
def test_what_is_no_list_of_held_mails_is_422(site: Site, ask: Ask, effects: object) -> None:
    job = site.submit("data.process", {"data": 1})
    assert ask("POST", f"/jobs/{job['id']}/release", json={"effects": effects}).status_code == 422


def test_a_walk_over_the_list_meets_each_once(ask: Ask) -> None:
    part = uuid4().hex
    mine = sorted(f"{part}{each}@example.com" for each in ("b", "a", "c%", "c_"))
    for address in mine:
        assert ask("POST", "/suppressions", json={"address": address}).status_code == 201
    found, cursor = [], ""
    while cursor is not None:
        page = body(ask("GET", "/suppressions", query_string={"search": part.upper(), "limit": 3, "cursor": cursor}))
        found += [each["address"] for each in page["suppressions"]]
        cursor = page["next_cursor"]
    assert sorted(found) == mine
    exact = body(ask("GET", "/suppressions", query_string={"search": f"{part}c%"}))["suppressions"]
    assert [each["address"] for each in exact] == [f"{part}c%@example.com"]


def test_an_address_with_a_slash_can_be_taken_off(ask: Ask) -> None:
    assert ask("POST", "/suppressions", json={"address": "a/b@example.com"}).status_code in {200, 201}
    assert ask("DELETE", "/suppressions/a%2Fb@example.com").status_code == 204


@pytest.mark.parametrize("given", [{"address": "nobody"}, {"address": "a@example.com, b@example.com"}, {}, {"x": 1}])
def test_what_is_no_address_is_422(ask: Ask, given: dict[str, object]) -> None:
    assert ask("POST", "/suppressions", json=given).status_code == 422


def test_another_persons_list_is_another(site: Site, ask: Ask) -> None:
    address = f"{uuid4().hex}@example.com"
    ask("POST", "/suppressions", json={"address": address})
    listed = body(asking(site, site.eve.headers)("GET", "/suppressions"))["suppressions"]
    assert address not in [each["address"] for each in listed]
