"""Every door of the API, as the map of routes names them: verbs, media types, query strings, bodies, conditions."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import NOBODYS, Route, routes
from tests.blueprints.site import Site
from tests.blueprints.test_reading import MALFORMED
from tests.conftest import DATABASES

ALL = [each for safe in (True, False) for each in routes(safe=safe) if each.endpoint.startswith("api_")]
READ = [each for each in ALL if each.method == "GET"]
BY_PERSON = "api_keys."
VERBS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
FILES = {"api_jobs.artifact", "api_mailings.recipients"}  # what they answer with says what it is
JOB = "/api/v1/jobs/{}"


def takes(site_spec: dict[str, Any], route: Route) -> dict[str, Any]:
    """What the document says of the body of a route."""
    path = route.rule.rule.replace("<kind>", "data.process")
    for name in route.rule.arguments:
        path = path.replace(f"<uuid:{name}>", f"{{{name}}}").replace(f"<path:{name}>", f"{{{name}}}")
    entry = site_spec["paths"].get(path.replace("<name>", "{name}").replace("<number>", "{number}"), {})
    found: dict[str, Any] = entry.get(route.method.lower(), {}).get("requestBody", {}).get("content", {})
    return found


@pytest.fixture(scope="module")
def site_spec(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.program.get("/api/v1/openapi.json").get_json(force=True)
    return found


def ask(site: Site, route: Route, **options: Any) -> TestResponse:
    headers = {**site.ada.headers, **options.pop("headers", {})}
    return site.program.open(route.path(), method=options.pop("method", route.method), headers=headers, **options)


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", ALL, ids=str)
def test_a_parameter_that_nobody_knows_is_400(site: Site, route: Route) -> None:
    answer = ask(site, route, query_string={"no_such_parameter": "1"})
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (400, "malformed")
    assert "no_such_parameter" in problem["detail"]


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", [each for each in ALL if each.method in {"POST", "PUT", "PATCH"}], ids=str)
def test_what_is_no_plain_json_is_refused_by_every_door_that_takes_json(
    site: Site, site_spec: dict[str, Any], route: Route
) -> None:
    if "application/json" not in takes(site_spec, route) or route.endpoint.startswith(BY_PERSON):
        return
    for name, body in MALFORMED.items():
        answer = ask(site, route, data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 404, 422}, name
        assert answer.mimetype == "application/problem+json"
    assert ask(site, route, data=b"{}", headers={"Content-Type": "text/plain"}).status_code in {404, 415}


def test_most_doors_that_take_json_are_found_in_the_document(site: Site, site_spec: dict[str, Any]) -> None:
    """So that the test before does not pass by finding none."""
    assert sum("application/json" in takes(site_spec, route) for route in ALL) > 15


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", ALL, ids=str)
def test_a_verb_that_a_path_does_not_take_is_405_and_names_those_that_it_does(site: Site, route: Route) -> None:
    known = set(ask(site, route, method="OPTIONS").headers["Allow"].split(", "))
    assert route.method in known
    for verb in VERBS - known:
        answer = ask(site, route, method=verb)
        assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, known)


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", READ, ids=str)
def test_head_is_get_without_its_body(site: Site, route: Route) -> None:
    head, get = ask(site, route, method="HEAD"), ask(site, route)
    assert (head.status_code, head.data, head.mimetype) == (get.status_code, b"", get.mimetype)


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", ALL, ids=str)
def test_whoever_wants_no_json_gets_406_and_a_packed_body_415(site: Site, route: Route) -> None:
    if route.endpoint not in FILES:
        answer = ask(site, route, headers={"Accept": "text/html, image/*"})
        assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")
    for accepted in ("*/*", "application/*", "text/html, application/json;q=0.1"):
        assert ask(site, route, headers={"Accept": accepted}).status_code != 406
    assert ask(site, route, data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", ALL, ids=str)
def test_nobody_is_let_in_without_a_key(site: Site, route: Route) -> None:
    answer = site.program.open(route.path(), method=route.method)
    assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)


def test_every_list_that_has_pages_caps_their_size(site: Site, site_spec: dict[str, Any]) -> None:
    paged = [
        path
        for path, entry in site_spec["paths"].items()
        if any(each["name"] == "limit" for each in entry.get("get", {}).get("parameters", []))
    ]
    assert len(paged) >= 4
    for path in (each.replace("{mailing_id}", str(NOBODYS)) for each in paged):
        for limit in ("0", "-1", "1001", "1e3", "9" * 30):
            answer = site.program.get(path, query_string={"limit": limit}, headers=site.ada.headers)
            assert answer.status_code == 400, (path, limit)


@pytest.mark.parametrize("site", DATABASES, indirect=True)
def test_a_job_that_has_not_changed_is_304(site: Site) -> None:
    path = JOB.format(site.submit("data.process", {"data": [1]})["id"])
    first = site.program.get(path, headers=site.ada.headers)
    tag = first.headers["ETag"]
    again = site.program.get(path, headers={**site.ada.headers, "If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.data, again.headers["ETag"], again.headers["Retry-After"]) == (304, b"", tag, "1")
    site.program.post(f"{path}/cancel", headers=site.ada.headers)
    changed = site.program.get(path, headers={**site.ada.headers, "If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag, "Retry-After" in changed.headers) == (200, True, False)
