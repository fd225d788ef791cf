"""Page: the system. For administrators alone; it shows what is missing and nothing of what others keep private."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site
from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Job, Role, User, Worker
from webapi.models.transaction import writing
from webapi.queue import gates
from webapi.services import trail
from webapi.services.system import audits, crew

ROUTES = [each for safe in (True, False) for each in routes(safe=safe) if each.endpoint.startswith("system.")]
PRIVATE = "canary-of-somebody"
# What is read from the two databases is tested beside each service.
pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def grace(site: Site) -> Person:
    person = Person(site.app, "grace@example.com")
    with site.app.app_context(), writing():
        db.session.get_one(User, person.id).role = Role.ADMINISTRATOR
    return person


@pytest.fixture
def admin(site: Site, grace: Person) -> Iterator[Browser]:
    """An administrator's browser; what it does to kinds is undone."""
    yield Browser(site.app, grace)
    with site.app.app_context():
        for name in gates.paused():
            gates.resume(name)


def test_there_are_routes_to_try(site: Site) -> None:
    assert {"system.index", "system.outside", "system.kind", "system.steer", "system.audit"} == {
        each.endpoint for each in ROUTES
    }


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_somebody_who_is_no_administrator_is_refused(browser: Browser, route: Route) -> None:
    answer = browser.client.open(route.path(), method=route.method, data={"csrf_token": browser.token()})
    assert answer.status_code == 403
    assert "This page is for administrators." in answer.text


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_key_opens_nothing_not_even_an_administrators(site: Site, grace: Person, route: Route) -> None:
    program: FlaskClient = site.app.test_client()
    for headers in (grace.headers, site.ada.headers):
        assert program.open(route.path(), method=route.method, headers=headers).status_code == 403


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_visitor_is_asked_to_sign_in(visitor: Browser, route: Route) -> None:
    if route.method == "GET":
        assert visitor.get(route.path()).headers["Location"].startswith("/login?next=")
    else:
        assert visitor.post(route.path()).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_other_verb_does_anything(admin: Browser, method: str) -> None:
    headers = {"X-CSRFToken": admin.token()}
    assert admin.client.open("/system", method=method, headers=headers).status_code == 405


def test_only_an_administrator_is_shown_the_way(admin: Browser, browser: Browser) -> None:
    assert 'href="/system"' in admin.get("/").text
    assert 'href="/system"' not in browser.get("/").text


def test_what_is_missing_comes_with_the_command_that_mends_it(admin: Browser) -> None:
    page = admin.get("/system").text
    assert "<code>make worker QUEUES=default,email,reports</code>" in page
    assert "No worker has said anything yet: <code>make worker</code>" in page
    assert "Nobody has asked for an audit yet." in page


def test_nothing_of_what_another_submitted_is_shown_but_its_id(site: Site, admin: Browser) -> None:
    payload = {"to": [f"{PRIVATE}@example.com"], "subject": PRIVATE, "text": PRIVATE}
    job = site.submit("email.send", payload, tag=PRIVATE)
    pages = [admin.get(path).text for path in ("/system", "/system/kind?name=email.send", "/system/outside")]
    pages[0] = pages[0].partition('id="trail-head"')[0]  # who made a key and who pauses a kind is what the trail is for
    assert job["id"] in pages[0]
    assert not [page for page in pages if PRIVATE in page or site.ada.email in page or str(site.ada.id) in page]
    assert f'href="/jobs/{job["id"]}"' not in pages[0]
    assert admin.get(f"/jobs/{job['id']}").status_code == 404
    site.work("email.send")


def test_a_kind_is_paused_and_goes_on_after_being_asked_twice(site: Site, grace: Person, admin: Browser) -> None:
    asked = admin.get("/system/kind?name=data.process").text
    assert "Pause data.process?" in asked
    with site.app.app_context():
        assert gates.paused() == {}
    answer = admin.post("/system/kind", {"name": "data.process", "act": "pause"}, follow_redirects=True)
    assert "data.process is paused." in answer.text
    assert "by Grace" in answer.text
    assert "<code>flask kinds resume data.process</code>" in answer.text
    assert "Resume data.process?" in admin.get("/system/kind?name=data.process").text
    answer = admin.post("/system/kind", {"name": "data.process", "act": "resume"}, follow_redirects=True)
    assert "data.process goes on." in answer.text
    with site.app.app_context():
        assert gates.paused() == {}


@pytest.mark.parametrize(
    ("form", "status"),
    [({"name": "no.kind", "act": "pause"}, 404), ({"name": "data.process", "act": "stop"}, 400), ({}, 404)],
)
def test_what_makes_no_sense_changes_nothing(site: Site, admin: Browser, form: dict[str, str], status: int) -> None:
    assert admin.post("/system/kind", form).status_code == status
    with site.app.app_context():
        assert gates.paused() == {}


def test_a_kind_that_is_none_has_no_page(admin: Browser) -> None:
    assert admin.get("/system/kind?name=no.kind").status_code == 404
    assert admin.get("/system/kind").status_code == 404


def test_the_audit_is_asked_for_done_and_shown_with_its_ids(site: Site, admin: Browser) -> None:
    assert "The audit was asked for." in admin.post("/system/audit", follow_redirects=True).text
    again = admin.post("/system/audit", {"files": "on"}, follow_redirects=True).text
    assert "An audit is under way already." in again
    assert "Run the audit" not in again
    site.work(audits.KIND)
    page = admin.get("/system").text
    assert "an accepted job goes on" in page
    assert ">whole</span>" in page


def test_each_act_is_noted_once(site: Site, grace: Person, admin: Browser) -> None:
    admin.post("/system/kind", {"name": "data.process", "act": "pause"})
    admin.post("/system/kind", {"name": "data.process", "act": "resume"})
    admin.post("/system/audit")
    site.work(audits.KIND)
    with site.app.app_context():
        noted = [(line.what, line.who) for line in trail.latest(3)]
    assert noted == [(what, grace.email) for what in ("audit.asked", "kind.resumed", "kind.paused")]
    assert "A kind of job was paused" in admin.get("/system").text


def test_it_refreshes_by_itself_until_it_is_held_still(admin: Browser) -> None:
    page = admin.get("/system").text
    assert 'hx-trigger="every 5s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert '<a href="/system/outside">' in page, "the way to it without JavaScript"
    still = admin.get("/system?still=on").text
    assert 'hx-trigger="every 5s"' not in still
    assert "http-equiv" not in still


def test_an_administrators_own_job_is_linked(site: Site, grace: Person, admin: Browser) -> None:
    payload = {"data": [1]}
    made = site.program.post("/api/v1/jobs/data.process", json=payload, headers=grace.headers)
    with site.app.app_context(), writing() as session:
        job = session.get_one(Job, UUID((made.json or {})["id"]))
        job.run_at = session.scalars(select(User.created_at).limit(1)).one()
    assert f'href="/jobs/{(made.json or {})["id"]}"' in admin.get("/system").text
    site.work("data.process")


def test_a_worker_that_said_nothing_for_long_is_shown_as_gone(site: Site, admin: Browser) -> None:
    with site.app.app_context(), writing() as session:
        old = session.scalars(select(User.created_at).limit(1)).one().replace(year=2020)
        row = {"id": UUID(int=7), "host": "<b>there", "pid": 7, "slots": 2, "queues": ["email"], "version": "0"}
        session.add(Worker(**row, seen_at=old))
    page = admin.get("/system").text
    assert "&lt;b&gt;there:7" in page
    assert ">gone</span>" in page
    assert "not the version of this page" in page
    with site.app.app_context(), writing() as session:
        session.execute(delete(Worker))


def test_of_many_workers_the_page_shows_some_and_counts_the_others(site: Site, admin: Browser) -> None:
    with site.app.app_context(), writing() as session:
        for number in range(crew.SHOWN + 2):
            row = {"id": UUID(int=number), "host": "there", "pid": number, "slots": 2, "queues": ["email"]}
            session.add(Worker(**row, version="0"))
    page = admin.get("/system").text
    assert (page.count("<strong>there:"), "And 2 more" in page) == (crew.SHOWN, True)
    with site.app.app_context(), writing() as session:
        session.execute(delete(Worker))
