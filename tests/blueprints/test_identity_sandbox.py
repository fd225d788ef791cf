"""A test key runs everything, and nothing leaves: neither by its own jobs nor by those of a live key."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.routes import NOBODYS
from tests.blueprints.site import Browser, Site
from webapi.services import keys

MAIL = {"to": ["bob@example.com"], "subject": "s", "text": "t"}
REFUSED = {"to": ["refused@simulator.webapi"], "subject": "s", "text": "t"}
WEEKLY = {"name": "Weekly", "cron": "@weekly", "kind": "report.build", "payload": {}}


@pytest.fixture(scope="module")
def test_headers(site: Site) -> dict[str, str]:
    with site.app.app_context():
        return {"Authorization": f"Bearer {keys.create(site.ada.row, 'trial', test=True)}"}


def send(site: Site, headers: dict[str, str], path: str, method: str = "POST", **options: Any) -> TestResponse:
    return site.program.open(f"/api/v1{path}", method=method, headers={**headers, **options.pop("more", {})}, **options)


def mailed(site: Site, headers: dict[str, str], payload: dict[str, Any] = MAIL, **options: Any) -> dict[str, Any]:
    answer = send(site, headers, "/jobs/email.send", json=payload, **options)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json or {}
    return found


def finish(site: Site, job_id: str) -> None:
    """Do the mails of this module until this one is over."""
    while site.job(job_id).state == "queued":
        site.work("email.send")


def test_a_mail_of_a_test_key_ends_well_and_never_leaves(site: Site, test_headers: dict[str, str]) -> None:
    """Nobody listens at the mail server's port here."""
    job = mailed(site, test_headers)
    finish(site, job["id"])
    done = send(site, test_headers, f"/jobs/{job['id']}", "GET").json or {}
    effects = (send(site, test_headers, f"/jobs/{job['id']}/effects", "GET").json or {})["effects"]
    assert (job["sandbox"], done["state"], done["effects"]["done"]) == (True, "succeeded", 1)
    assert effects[0]["reply"] == "2.0.0 The simulator took it"


def test_a_call_of_a_test_key_never_leaves(site: Site, test_headers: dict[str, str]) -> None:
    job = send(site, test_headers, "/jobs/http.call", json={"url": "http://nobody.invalid/hook"}).json or {}
    site.work("http.call")
    assert (site.job(job["id"]).state, site.job(job["id"]).result["status"]) == ("succeeded", 200)  # type: ignore[index]


def test_the_jobs_of_a_live_key_and_of_a_person_are_meant(site: Site, browser: Browser) -> None:
    assert mailed(site, site.ada.headers)["sandbox"] is False
    done = site.program.post("/process", json={"data": 1}, headers=site.ada.headers).json or {}
    assert site.job(done["task_id"]).sandbox is False


def test_the_tutorial_and_a_schedule_run_by_a_test_key_are_played(site: Site, test_headers: dict[str, str]) -> None:
    task = site.program.post("/process", json={"data": 1}, headers=test_headers).json or {}
    schedule = send(site, site.ada.headers, "/schedules", json=WEEKLY).json or {}
    run = send(site, test_headers, f"/schedules/{schedule['id']}/run").json or {}
    assert (site.job(task["task_id"]).sandbox, run["sandbox"]) == (True, True)


def test_an_idempotency_key_of_the_sandbox_is_another_one(site: Site, test_headers: dict[str, str]) -> None:
    """A request that was tried first is not taken for done when it is meant."""
    once = {"Idempotency-Key": "order-4711-mail"}
    played, meant, again = (
        mailed(site, headers, more=once) for headers in (test_headers, site.ada.headers, test_headers)
    )
    assert (played["sandbox"], meant["sandbox"]) == (True, False)
    assert played["id"] == again["id"] != meant["id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("replay", None), ("resolve", {"effects": {}}), ("release", {"effects": [str(NOBODYS)]})],
    ids=["replay", "resolve", "release"],
)
def test_a_test_key_sets_no_live_job_going(
    site: Site, test_headers: dict[str, str], path: str, body: dict[str, Any] | None
) -> None:
    job = mailed(site, site.ada.headers)
    answer = send(site, test_headers, f"/jobs/{job['id']}/{path}", json=body)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (403, "forbidden")


def test_a_test_key_runs_only_jobs_of_the_sandbox_again_when_it_names_many(
    site: Site, test_headers: dict[str, str]
) -> None:
    for headers in (test_headers, site.ada.headers):
        job = mailed(site, headers, query_string={"tag": "many"})
        send(site, headers, f"/jobs/{job['id']}/cancel")
    found = [send(site, headers, "/jobs/replay?tag=many&dry_run=true") for headers in (test_headers, site.ada.headers)]
    assert [(each.json or {})["changed"] for each in found] == [1, 2]
    assert send(site, test_headers, "/jobs/replay").status_code == 400  # being in the sandbox is no filter


def test_a_test_key_writes_no_schedule(site: Site, test_headers: dict[str, str]) -> None:
    schedule = send(site, site.ada.headers, "/schedules", json=WEEKLY).json or {}
    written = send(site, test_headers, "/schedules", json=WEEKLY)
    changed = send(site, test_headers, f"/schedules/{schedule['id']}", "PATCH", json={"paused": False})
    assert (written.status_code, changed.status_code) == (403, 403)


def test_a_test_key_may_do_nothing_by_the_pages(site: Site, test_headers: dict[str, str]) -> None:
    """They know no sandbox: a job from a form is meant."""
    form = {"to": "bob@example.com", "subject": "s", "text": "t"}
    played = site.program.post("/new/email.send", data=form, headers=test_headers)
    meant = site.program.post("/new/email.send", data=form, headers=site.ada.headers)
    assert (played.status_code, meant.status_code) == (403, 303)


def test_a_live_key_may_run_a_job_of_the_sandbox_again_and_it_stays_there(
    site: Site, test_headers: dict[str, str]
) -> None:
    job = mailed(site, test_headers, REFUSED)
    finish(site, job["id"])
    again = send(site, site.ada.headers, f"/jobs/{job['id']}/replay")
    assert (again.status_code, (again.json or {})["sandbox"]) == (202, True)
