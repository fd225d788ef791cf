"""What is another's is not there: the same answer as for what does not exist, on every route and verb."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import NOBODYS, Route, routes
from tests.blueprints.site import REQUEST_ID, TOKEN, Browser, Site
from webapi.queue import kind_named
from webapi.services import keys, schedules, sessions, storage
from webapi.services.mail import senders, suppressions, templates
from webapi.services.mail.templates import Wording
from webapi.services.plans import Plan
from webapi.services.reports import library
from webapi.services.reports.definition import Definition
from webapi.tasks.report_build import ReportRequest

# Routes with a name in their path that is nobody's: what is public, or known only to whom it was mailed.
PUBLIC = {"static", "jobs.form", "jobs.submit", "api_kinds.show", "api_jobs.submit", "accounts.verify"}
PUBLIC |= {"api_batches.submit", "docs.show"}
PUBLIC |= {"schedules.form", "schedules.create"}
PUBLIC |= {"reports.show_built_in", "reports.build_built_in"}
PUBLIC |= {"mail_links.ask", "mail_links.end", "mail_links.file", "mail_links.sender"}
PUBLIC |= {"recovery.choose", "recovery.change"}
PUBLIC |= {"tickets.invitation", "tickets.accept", "tickets.address", "tickets.change_address"}
PUBLIC |= {"inbox.show", "inbox.html"}  # in development, everybody sees every mail
# What each of the others takes, by the endpoint.
CASES: dict[str, dict[str, Any]] = {
    "jobs.show": {},
    "live.job": {},
    "jobs.cancel": {},
    "jobs.replay": {},
    "jobs.resolve": {"data": {"effect": str(NOBODYS), "answer": "delivered"}},
    "jobs.artifact": {},
    "keys.revoke": {},
    "account.end_session": {},
    "api_keys.remove": {},
    "tutorial.status": {},
    "schedules.show": {},
    "schedules.edit_form": {},
    "schedules.edit": {"data": {"when-name": "x", "when-cron": "@daily", "version": "1"}},
    "schedules.pause": {},
    "schedules.resume": {},
    "schedules.run": {},
    "schedules.remove": {},
    "templates.show": {},
    "templates.change": {"data": {"subject": "x", "text": "x", "version": "1"}},
    "templates.remove": {},
    "addresses.remove_sender": {},
    "mailings.show": {},
    "mailings.preview": {},
    "mailings.confirm": {},
    "mailings.pause": {},
    "mailings.resume": {},
    "mailings.cancel": {},
    "mailings.again": {},
    "mailings.answer": {"data": {"answer": "release"}},
    "mailings.recipients": {},
    "reports.show": {},
    "reports.build": {"data": {"format": "csv", "timezone": "UTC"}},
    "reports.edit_form": {},
    "reports.edit": {"data": {"title": "x", "source": "data", "sql": "SELECT 1", "version": "1"}},
    "reports.remove": {},
    "api_reports.show": {},
    "api_reports.change": {"json": {"title": "x"}},
    "api_reports.remove": {},
    "api_reports.versions": {},
    "datasets.show": {},
    "datasets.correct": {"data": {"header": "yes"}},
    "datasets.replace": {"data": {}},
    "datasets.rename": {"data": {"name": "mine"}},
    "datasets.remove": {"data": {"dependents": "keep"}},
    "api_datasets.show": {},
    "api_datasets.preview": {},
    "api_datasets.change": {"json": {"name": "mine"}},
    "api_datasets.replace": {"query_string": {"file_name": "x.csv"}, "data": b"a\n1\n"},
    "api_datasets.remove": {"query_string": {"dependents": "keep"}},
    "api_schedules.show": {},
    "api_schedules.change": {"json": {"paused": True}},
    "api_schedules.remove": {},
    "api_schedules.run": {},
    "api_jobs.show": {},
    "api_jobs.events": {},
    "api_jobs.effects": {},
    "api_jobs.logs": {},
    "api_jobs.why": {},
    "api_jobs.artifact": {},
    "api_uploads.discard": {},
    "api_uploads.discard_artifact": {},
    "files.discard_upload": {},
    "files.discard_artifact": {},
    "api_jobs.cancel": {},
    "api_jobs.replay": {},
    "api_jobs.resolve": {"json": {"effects": {str(NOBODYS): "delivered"}}},
    "api_jobs.release": {"json": {"effects": [str(NOBODYS)]}},
    "api_templates.show": {},
    "api_templates.replace": {"json": {"subject": "x", "text": "x"}},
    "api_templates.change": {"json": {"subject": "x"}},
    "api_templates.remove": {},
    "api_templates.versions": {},
    "api_templates.version": {},
    "api_templates.preview": {"json": {}},
    "api_senders.remove": {},
    "api_suppressions.show": {},
    "api_suppressions.remove": {},
    "api_mailings.show": {},
    "api_mailings.confirm": {"json": {}},
    "api_mailings.pause": {},
    "api_mailings.resume": {},
    "api_mailings.cancel": {},
    "api_mailings.again": {},
    "api_mailings.mails": {},
    "api_mailings.release": {"json": {"effects": [str(NOBODYS)]}},
    "api_mailings.recipients": {},
}
ROUTES = [route for safe in (True, False) for route in routes(safe=safe) if route.rule.arguments]
OWNED = [route for route in ROUTES if route.endpoint not in PUBLIC]


def test_every_route_with_a_name_in_it_has_a_case() -> None:
    missing = {route.endpoint for route in OWNED} - CASES.keys()
    assert not missing, f"{missing}: say in CASES what they take, so that they are tried on another's things"
    gone = (CASES.keys() | PUBLIC) - {route.endpoint for route in ROUTES}
    assert not gone, f"{gone} are no routes any more: take them out"


@pytest.fixture(scope="module")
def things(site: Site) -> dict[str, UUID | str]:
    """Ada's: a job that is over and has a file, a key, a schedule, a dataset, and what mailings need."""
    job = site.submit("report.build", {"title": "Ada's"})
    site.work("report.build")
    with site.app.app_context():
        ada = site.ada.row
        key_id = keys.of(ada)[0].id
        sessions.begin(ada, "")
        session_id = sessions.of(ada)[0].public_id
        schedule = schedules.create(ada, kind_named("report.build"), ReportRequest(), Plan(name="x", cron="@daily"))
        schedule_id = schedule.id
        report_id = library.create(ada, "mine", Definition(title="Mine", sql="SELECT 1")).id
    known: dict[str, UUID | str] = {"job_id": UUID(job["id"]), "task_id": job["id"], "name": "jobs.csv"}
    csv = BytesIO(b"a,b\n1,2\n")
    query = {"file_name": "sales.csv"}
    made = site.program.post("/api/v1/datasets", query_string=query, data=csv, headers=site.ada.headers)
    known["dataset_id"] = UUID((made.json or {})["id"])
    known["session_id"] = session_id
    return {**known, "key_id": key_id, "schedule_id": schedule_id, "report_id": report_id, **mail_things(site)}


def mail_things(site: Site) -> dict[str, UUID | str]:
    with site.app.app_context():
        ada = site.ada.row
        template_id = templates.create(ada, "invoice", Wording(subject="Hello", text="{{name}}")).id
        sender_id = senders.add(ada, "shop@example.com").id
        suppressions.add(ada.id, "nobody@example.com", "manual")
        file = BytesIO(b"email,name\nbob@example.com,Bob\n")
        upload_id = storage.receive(ada.id, "people.csv", "text/csv", file).id
    mailing = site.submit("email.bulk", {"template": "invoice", "recipients": str(upload_id)})
    site.work("email.bulk")
    ids = {
        "template_id": template_id,
        "sender_id": sender_id,
        "mailing_id": UUID(mailing["id"]),
        "upload_id": upload_id,
    }
    return {**ids, "number": "1", "address": "nobody@example.com"}


def ask(site: Site, route: Route, path: str) -> TestResponse:
    """Eve asks: a page, and what no key may do, by her browser; the rest by her key."""
    headers = {"X-Request-ID": REQUEST_ID}
    case = CASES[route.endpoint]
    if route.endpoint.startswith(("api_", "tutorial")) and route.endpoint != "api_keys.remove":
        return site.program.open(path, method=route.method, headers={**headers, **site.eve.headers}, **case)
    browser = Browser(site.app, site.eve)
    if "json" not in case and route.method != "GET":
        case = {"data": {"csrf_token": browser.token(), **case.get("data", {})}}
    return browser.client.open(path, method=route.method, headers=headers, **case)


@pytest.mark.parametrize("route", OWNED, ids=str)
def test_anothers_thing_is_answered_like_one_that_does_not_exist(
    site: Site, things: dict[str, UUID | str], route: Route
) -> None:
    theirs = ask(site, route, route.path(things))
    nobodys = ask(site, route, route.path({"name": "jobs.csv"}))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert (theirs.mimetype, TOKEN.sub("", theirs.text)) == (nobodys.mimetype, TOKEN.sub("", nobodys.text))


@pytest.mark.parametrize("route", OWNED, ids=str)
def test_the_answer_does_not_name_what_was_asked_for(site: Site, things: dict[str, UUID | str], route: Route) -> None:
    assert not re.search(
        "|".join(str(each) for each in things.values() if isinstance(each, UUID)),
        ask(site, route, route.path(things)).text,
    )


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_verbs_tell_nothing_either(site: Site, things: dict[str, UUID | str], method: str) -> None:
    paths = [f"/api/v1/jobs/{job_id}" for job_id in (things["job_id"], NOBODYS)]
    headers = {**site.eve.headers, "X-Request-ID": REQUEST_ID}
    theirs, nobodys = (site.program.open(path, method=method, headers=headers) for path in paths)
    assert (theirs.status_code, theirs.data) == (nobodys.status_code, nobodys.data)


def test_ada_still_has_everything(site: Site, things: dict[str, UUID | str]) -> None:
    """None of what Eve asked for was done to it."""
    job = site.program.get(f"/api/v1/jobs/{things['job_id']}", headers=site.ada.headers)
    assert (job.status_code, (job.json or {})["state"]) == (200, "succeeded")
    template = site.program.get(f"/api/v1/templates/{things['template_id']}", headers=site.ada.headers)
    assert (template.status_code, (template.json or {})["version"]) == (200, 1)
    mailing = site.program.get(f"/api/v1/mailings/{things['mailing_id']}", headers=site.ada.headers)
    assert (mailing.status_code, (mailing.json or {})["phase"]) == (200, "checked")
    listed = (site.program.get("/api/v1/senders", headers=site.ada.headers).json or {})["senders"]
    assert str(things["sender_id"]) in [each["id"] for each in listed]
    address = site.program.get(f"/api/v1/suppressions/{things['address']}", headers=site.ada.headers)
    assert address.status_code == 200
    dataset = site.program.get(f"/api/v1/datasets/{things['dataset_id']}", headers=site.ada.headers)
    assert (dataset.status_code, (dataset.json or {})["name"]) == (200, "sales")
    schedule = site.program.get(f"/api/v1/schedules/{things['schedule_id']}", headers=site.ada.headers)
    assert (schedule.status_code, (schedule.json or {})["version"]) == (200, 1)


def test_another_owners_jobs_are_in_no_list(site: Site, things: dict[str, UUID | str]) -> None:
    listed = site.program.get("/api/v1/jobs?limit=200", headers=site.eve.headers).json or {}
    page = Browser(site.app, site.eve).get("/jobs").text
    assert listed["jobs"] == []
    assert str(things["job_id"]) not in page


@pytest.mark.parametrize("state", ["succeeded", "queued"])
def test_the_counts_of_the_overview_are_ones_own(site: Site, things: dict[str, UUID | str], state: str) -> None:
    assert f"state={state}" not in Browser(site.app, site.eve).get("/").text
