"""Schedules for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from tests.blueprints.site import Site
from webapi.extensions import db
from webapi.models import Schedule
from webapi.queue import kind_named, seals

WHEN = {"cron": "0 9 * * 1", "timezone": "Europe/Vienna"}
WEEKLY = {"name": "Weekly", "kind": "report.build", "payload": {"title": "T"}, **WHEN}


def ask(site: Site, method: str, path: str = "", **options: Any) -> tuple[int, dict[str, Any]]:
    headers = {**site.ada.headers, **options.pop("headers", {})}
    answer = site.program.open(f"/api/v1/schedules{path}", method=method, headers=headers, **options)
    return answer.status_code, answer.get_json(silent=True) or {}


def add(site: Site, **changes: Any) -> str:
    status, body = ask(site, "POST", json={**WEEKLY, **changes})
    assert status == 201, body
    return f"/{body['id']}"


def test_it_is_written_and_shows_its_next_five_times(site: Site) -> None:
    path = add(site)
    status, body = ask(site, "GET", path)
    assert (status, body["explained"], body["catchup"], body["version"]) == (200, "At 09:00 on Monday", "latest", 1)
    times = [datetime.fromisoformat(at) for at in body["next"]]
    assert [(at.weekday(), at.hour) for at in times] == [(0, 9)] * 5
    assert body["id"] in [each["id"] for each in ask(site, "GET")[1]["schedules"]]


def test_a_change_keeps_what_it_does_not_name(site: Site) -> None:
    path = add(site)
    assert ask(site, "PATCH", path, json={"paused": True})[1]["next"] == []
    status, body = ask(site, "PATCH", path, json={"cron": "@daily", "paused": False})
    assert (status, body["cron"], body["timezone"], body["payload"]["title"]) == (200, "@daily", "Europe/Vienna", "T")
    assert (body["version"], len(body["next"])) == (3, 5)


def test_if_match_guards_against_another_editor(site: Site) -> None:
    path = add(site)
    tag = site.program.get(f"/api/v1/schedules{path}", headers=site.ada.headers).headers["ETag"]
    assert ask(site, "PATCH", path, json={"name": "A"}, headers={"If-Match": tag})[0] == 200
    status, body = ask(site, "PATCH", path, json={"name": "B"}, headers={"If-Match": tag})
    assert (status, body["code"]) == (412, "precondition_failed")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"cron": "every day"}, "/cron"),
        ({"timezone": "Mars"}, "/timezone"),
        ({"payload": {"title": 5}}, "/payload/title"),
        ({"payload": {"colour": "red"}}, "/payload/colour"),
        ({"owner_id": "x"}, "/owner_id"),
        ({"paused": "yes"}, "/paused"),
    ],
)
def test_what_is_wrong_is_named(site: Site, change: dict[str, Any], pointer: str) -> None:
    status, body = ask(site, "POST", json={**WEEKLY, **change})
    assert (status, [fault["pointer"] for fault in body["errors"]]) == (422, [pointer])


def test_a_kind_without_doors_has_no_schedules(site: Site) -> None:
    assert ask(site, "POST", json={**WEEKLY, "kind": "email.welcome", "payload": {}})[0] == 404


def test_it_is_run_now_and_deleted(site: Site) -> None:
    path = add(site)
    status, job = ask(site, "POST", f"{path}/run")
    assert (status, job["kind"], job["payload"]["title"]) == (202, "report.build", "T")
    assert ask(site, "DELETE", path)[0] == 204
    assert ask(site, "GET", path)[0] == 404


def test_secrets_stay_when_a_change_leaves_them_out_and_go_when_it_says_so(site: Site) -> None:
    call = {"url": "https://example.com/", "secret_headers": {"X-Key": "canary"}}
    path = add(site, kind="http.call", payload=call)

    def stored() -> Any:
        with site.app.app_context():
            payload = db.session.get_one(Schedule, UUID(path[1:])).payload
            assert "canary" not in str(payload)
            return seals.opened(kind_named("http.call"), payload, site.ada.id).model_dump()["secret_headers"]

    shown = ask(site, "PATCH", path, json={"name": "Renamed"})[1]["payload"]["secret_headers"]
    assert (shown, stored()) == ({"X-Key": "***"}, {"X-Key": "canary"})
    assert ask(site, "PATCH", path, json={"payload": {"url": "https://example.com/b"}})[0] == 200
    assert stored() == {"X-Key": "canary"}
    masked = {"url": "https://example.com/", "secret_headers": {"X-Key": "***"}}
    assert ask(site, "PATCH", path, json={"payload": masked})[0] == 422, "the mask is no value"
    assert ask(site, "PATCH", path, json={"payload": {**masked, "secret_headers": {}}})[0] == 200
    assert stored() == {}
