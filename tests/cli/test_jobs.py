"""`flask jobs`."""

from __future__ import annotations

import json
from uuid import UUID

from flask import Flask

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Job


def test_a_job_is_submitted_listed_explained_and_cancelled(app: Flask, ada: Person) -> None:
    run = app.test_cli_runner().invoke
    owner = ["--owner", ada.email]
    mail = ["--to", "a@example.com", "--to", "b@example.com", "--subject", "Hi", "--text", "Hello"]
    answer = run(args=["jobs", "submit", "email.send", *owner, *mail, "--delay", "60", "--json"])
    assert answer.exit_code == 0, answer.output
    job_id = json.loads(answer.output)["id"]
    listed = json.loads(run(args=["jobs", "list", *owner, "--json"]).output)
    assert [(job["id"], job["state"]) for job in listed] == [(job_id, "scheduled")]
    assert "It is to begin in" in run(args=["jobs", "why", job_id, *owner]).output
    assert run(args=["jobs", "cancel", job_id, *owner]).output.strip() == "cancelled"
    assert run(args=["jobs", "replay", job_id, *owner]).output.strip() == "queued"


def test_what_is_wrong_is_said_and_the_exit_is_not_zero(app: Flask, ada: Person) -> None:
    run = app.test_cli_runner().invoke
    bad = run(args=["jobs", "submit", "email.send", "--owner", ada.email, "--to", "nobody"])
    assert bad.exit_code == 1
    assert "Error" in bad.output
    assert run(args=["jobs", "list", "--owner", "nobody@example.com"]).exit_code == 1
    assert run(args=["jobs", "submit", "email.welcome", "--owner", ada.email]).exit_code == 2


def test_a_callback_is_asked_for_and_one_that_may_not_be_called_is_refused(app: Flask, ada: Person) -> None:
    run = app.test_cli_runner().invoke
    submit = ["jobs", "submit", "data.process", "--owner", ada.email, "--data", "[1]", "--json", "--callback-url"]
    taken = run(args=[*submit, "https://hooks.example/over"])
    assert taken.exit_code == 0, taken.output
    with app.app_context():
        job = db.session.get_one(Job, UUID(json.loads(taken.output)["id"]))
        assert job.callback_url == "https://hooks.example/over"
    refused = run(args=[*submit, "http://10.0.0.1/"])
    assert (refused.exit_code, "private or reserved network" in refused.output) == (1, True)
