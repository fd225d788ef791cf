"""What a role and a key may do, on every route there is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site
from tests.conftest import Person
from webapi.blueprints import rights
from webapi.models import Artifact, Role, Scope
from webapi.models.transaction import writing
from webapi.queue import room
from webapi.services import accounts, keys, trail

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="module")
CHANGES = routes(safe=False)
SENTENCE = "You may look at what is here and change nothing: your role is viewer."


def blueprint(route: Route) -> str:
    return route.endpoint.rpartition(".")[0]


@pytest.fixture(scope="module")
def vera(site: Site) -> Person:
    """She may look."""
    person = Person(site.app, "vera@example.com")
    with site.app.app_context():
        accounts.set_role(person.row, Role.VIEWER, trail.COMMAND_LINE)
    return person


@pytest.fixture(scope="module")
def veras(site: Site, vera: Person) -> tuple[Browser, str]:
    """Her browser, and the token of its pages."""
    browser = Browser(site.app, vera)
    return browser, browser.token()


FORBIDDEN = [route for route in CHANGES if route.endpoint not in rights.VIEWERS_MAY]


@pytest.mark.parametrize("route", FORBIDDEN, ids=str)
def test_a_viewer_changes_nothing_by_a_page(veras: tuple[Browser, str], route: Route) -> None:
    browser, token = veras
    answer = browser.client.open(route.path(), method=route.method, data={"data": "1"}, headers={"X-CSRFToken": token})
    assert (answer.status_code, SENTENCE in answer.text) == (403, True)


@pytest.mark.parametrize("route", [each for each in FORBIDDEN if blueprint(each) in rights.PROGRAMS], ids=str)
def test_a_viewer_changes_nothing_by_a_key(site: Site, vera: Person, route: Route) -> None:
    answer = site.program.open(route.path(), method=route.method, json={"data": 1}, headers=vera.headers)
    assert (answer.status_code, answer.get_json(force=True)["detail"]) == (403, SENTENCE)


@pytest.mark.parametrize(
    "path", ["/", "/jobs", "/schedules", "/reports", "/datasets", "/mailings", "/keys", "/account"]
)
def test_a_viewer_looks(veras: tuple[Browser, str], path: str) -> None:
    assert veras[0].get(path).status_code == 200


def test_a_viewer_reads_by_a_key(site: Site, vera: Person) -> None:
    assert site.program.get("/api/v1/jobs", headers=vera.headers).status_code == 200


def test_a_viewer_signs_out(site: Site, vera: Person) -> None:
    browser = Browser(site.app, vera)
    assert browser.post("/logout").location == "/login"
    assert browser.get("/keys").status_code == 302


def headers(site: Site, *scopes: Scope, **options: Any) -> dict[str, str]:
    with site.app.app_context():
        return {"Authorization": f"Bearer {keys.create(site.ada.row, 'x', scopes=scopes, **options)}"}


OPENED = [each for safe in (True, False) for each in routes(safe=safe) if blueprint(each) in rights.PROGRAMS]


@pytest.fixture(scope="module")
def without(site: Site) -> dict[Scope, dict[str, str]]:
    """For each scope a key that has all others."""
    return {scope: headers(site, *(set(Scope) - {scope})) for scope in Scope}


@pytest.mark.parametrize("route", OPENED, ids=str)
def test_a_key_without_the_scope_of_an_operation_is_told_which_it_needs(
    site: Site, without: dict[Scope, dict[str, str]], route: Route
) -> None:
    scope = rights.scope_of(route.endpoint, route.method)
    assert scope is not None
    answer = site.program.open(route.path(), method=route.method, headers=without[scope], data=b"{}")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (403, "insufficient_scope")
    challenge = f'Bearer realm="webapi", error="insufficient_scope", scope="{scope}"'
    assert answer.headers["WWW-Authenticate"] == challenge


def test_a_key_with_its_scope_alone_does_what_it_is_for(site: Site) -> None:
    done = submit(site, headers(site, Scope.SUBMIT))
    assert done.status_code == 202
    job = f"/api/v1/jobs/{(done.json or {})['id']}"
    assert site.program.get(job, headers=headers(site, Scope.READ)).status_code == 200
    assert site.program.post(f"{job}/cancel", headers=headers(site, Scope.MANAGE)).status_code == 200


def submit(site: Site, headers: dict[str, str], kind: str = "data.process") -> TestResponse:
    payload = {"data": [1]} if kind == "data.process" else {}
    return site.program.post(f"/api/v1/jobs/{kind}", json=payload, headers=headers)


PAGES = [each for each in CHANGES if blueprint(each) in rights.PAGES]


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_a_key_gets_no_further_by_a_page_than_by_the_api(
    site: Site, without: dict[Scope, dict[str, str]], route: Route
) -> None:
    scope = rights.scope_of(route.endpoint, route.method)
    assert scope is not None
    answer = site.program.open(route.path(), method=route.method, headers=without[scope])
    assert (answer.status_code, "it needs the scope" in answer.text) == (403, True)


READ_AS_KEYS = ["Bearer {}", "Bearer  {}", "Bearer \t {}", "Bearer {} "]
READ_AS_NONE = ["Bearer\t{}", " Bearer {}", "bearer {}", "BEARER  {}", "{}"]


@pytest.mark.parametrize("spelling", READ_AS_KEYS + READ_AS_NONE)
@pytest.mark.parametrize(
    "options", [{"scopes": [Scope.READ]}, {"scopes": list(Scope), "kind": "report.build"}], ids=str
)
def test_however_a_key_is_spelled_it_gets_no_further(site: Site, spelling: str, options: dict[str, Any]) -> None:
    with site.app.app_context():
        spelled = {"Authorization": spelling.format(keys.create(site.ada.row, "x", **options))}
    for asked in (site.program, Browser(site.app, site.ada).client):
        answer = asked.post("/api/v1/jobs/data.process", json={"data": 1}, headers=spelled)
        assert answer.status_code in {401, 403}
        code = answer.get_json(force=True)["code"]
        assert (code == "insufficient_scope") == (spelling in READ_AS_KEYS)


@pytest.fixture(scope="module")
def bound(site: Site) -> dict[str, str]:
    """A key for data.process alone."""
    return headers(site, *Scope, kind="data.process")


def test_a_key_of_one_kind_submits_that_kind_alone(site: Site, bound: dict[str, str]) -> None:
    assert submit(site, bound).status_code == 202
    other = submit(site, bound, "report.build")
    assert (other.status_code, (other.get_json(force=True))["code"]) == (403, "insufficient_scope")
    assert site.program.post("/process", json={"data": 1}, headers=bound).status_code == 202
    reports = headers(site, *Scope, kind="report.build")
    assert site.program.post("/process", json={"data": 1}, headers=reports).status_code == 403


def test_a_key_of_one_kind_sees_no_other_job(site: Site, bound: dict[str, str]) -> None:
    own, other = (site.submit(kind, payload)["id"] for kind, payload in (("data.process", {"data": 1}), REPORT))
    listed = site.program.get("/api/v1/jobs?limit=200", headers=bound).json or {}
    assert {each["kind"] for each in listed["jobs"]} == {"data.process"}
    asked = site.program.get("/api/v1/jobs?kind=report.build", headers=bound).json or {}
    assert asked["jobs"] == []
    for path in ("", "/events", "/effects", "/why"):
        answers = [site.program.get(f"/api/v1/jobs/{job_id}{path}", headers=bound) for job_id in (own, other)]
        assert [answer.status_code for answer in answers] == [200, 404]
    assert site.program.get(f"/status/{other}", headers=bound).status_code == 404


REPORT: tuple[str, dict[str, Any]] = ("report.build", {})


def test_a_key_of_one_kind_touches_no_other_job(site: Site, bound: dict[str, str]) -> None:
    other = site.submit(*REPORT, tag="bound")["id"]
    for act in ("cancel", "replay"):
        assert site.program.post(f"/api/v1/jobs/{other}/{act}", headers=bound).status_code == 404
    many = site.program.post("/api/v1/jobs/cancel?tag=bound", headers=bound).json or {}
    assert (many["changed"], site.job(other).state) == (0, "queued")


def test_a_key_of_one_kind_deletes_no_file_of_another(site: Site, bound: dict[str, str]) -> None:
    paths = []
    for kind, payload in (("data.process", {"data": 1}), REPORT):
        job_id = UUID(site.submit(kind, payload)["id"])
        paths.append(f"/api/v1/jobs/{job_id}/artifacts/out.csv")
        row = {"attempt": 1, "name": "out.csv", "sha256": "0" * 64, "size": 3, "media_type": "text/csv"}
        with site.app.app_context(), writing() as session:
            session.add(Artifact(id=uuid7(), job_id=job_id, **row))
            room.charge(session, site.ada.id, 3)
    assert [site.program.delete(path, headers=bound).status_code for path in paths] == [204, 404]
    assert [site.program.delete(path, headers=site.ada.headers).status_code for path in paths] == [404, 204]


def test_a_key_of_one_kind_hands_files_in_and_deletes_none(site: Site, bound: dict[str, str]) -> None:
    made = site.program.post("/api/v1/uploads?name=a.csv", data=b"a\n1\n", headers=bound).json or {}
    path = f"/api/v1/uploads/{made['id']}"
    refused = site.program.delete(path, headers=bound)
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (403, "insufficient_scope")
    assert site.program.delete(path, headers=site.ada.headers).status_code == 204


@pytest.mark.parametrize("route", [each for each in OPENED if blueprint(each) not in rights.OF_ONE_KIND], ids=str)
def test_a_key_of_one_kind_opens_the_doors_of_jobs_alone(site: Site, bound: dict[str, str], route: Route) -> None:
    answer = site.program.open(route.path(), method=route.method, headers=bound, data=b"{}")
    assert (answer.status_code, "data.process alone" in answer.text) == (403, True)


def test_a_key_whose_time_is_over_says_so(site: Site) -> None:
    answer = site.program.get("/api/v1/me", headers={"Authorization": "Bearer wapi_live_0123456789ab_" + "0" * 64})
    assert (answer.status_code, "time may be over" in answer.text) == (401, True)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="webapi", error="invalid_token"'


@pytest.mark.parametrize("path", ["/jobs", "/keys", "/account", "/"])
def test_a_key_that_does_not_work_gets_an_answer_from_pages_too(site: Site, path: str) -> None:
    """The page of the error asks who is there, as every page does."""
    wrong = {"Authorization": "Bearer wapi_live_0123456789ab_" + "0" * 64, "Accept": "text/html"}
    assert site.program.get(path, headers=wrong).status_code == 401
