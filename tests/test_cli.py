"""The command line says what is wrong in a sentence and exits non-zero; it never shows a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask

from tests.blueprints.site import Site
from tests.blueprints.site import site as _site

site = _site
NOBODYS = "01900000-0000-7000-8000-000000000000"
ADA = ["--owner", "ada@example.com"]


@pytest.fixture
def run(site: Site) -> Callable[..., Result]:
    return lambda *words, **options: site.app.test_cli_runner().invoke(args=[str(word) for word in words], **options)


Run = Callable[..., Result]


def submit(run: Run, *words: str) -> dict[str, Any]:
    done = run("jobs", "submit", "data.process", *ADA, "--json", *words)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (["--data", "[1, 2]"], [1, 2]),
        (["--data", "text"], "text"),
        (["--data", '{"a": null}'], {"a": None}),
        (["--payload", '{"data": 5}'], 5),
        (["--payload", '{"data": 5}', "--data", "[6]"], [6]),
    ],
)
def test_a_job_is_submitted_with_its_fields_or_its_payload(site: Site, run: Run, words: list[str], data: Any) -> None:
    job = submit(run, *words)
    assert (job["state"], site.job(job["id"]).payload["data"]) == ("queued", data)


def test_a_delay_makes_it_wait(run: Run) -> None:
    assert submit(run, "--data", "[1]", "--delay", "60")["state"] == "scheduled"


def test_a_list_is_json_when_it_is_asked_for(run: Run) -> None:
    job = submit(run, "--data", "[1]")
    listed = json.loads(run("jobs", "list", *ADA, "--limit", "1", "--json").output)
    assert listed == [{"id": job["id"], "kind": "data.process", "state": "queued", "progress": 0, "error": None}]


def test_a_job_is_shown_with_its_history(run: Run) -> None:
    job = submit(run, "--data", "[1]")
    shown = json.loads(run("jobs", "show", job["id"], *ADA).output)
    assert shown["events"][0].endswith("queued: accepted")


SUBMIT = ["jobs", "submit", "data.process", *ADA]
PASSWORD = ["--password", "a good long password"]
WRONG: list[list[str]] = [
    SUBMIT,
    [*SUBMIT, "--payload", "{"],
    [*SUBMIT, "--payload", '{"state": "succeeded", "data": 1}'],
    [*SUBMIT, "--data", "[1]", "--delay", "soon"],
    [*SUBMIT, "--file", NOBODYS],
    ["jobs", "submit", "data.process", "--owner", "nobody@example.com", "--data", "[1]"],
    ["jobs", "submit", "data.process", "--data", "[1]"],
    ["jobs", "submit", "email.welcome", *ADA],
    ["jobs", "submit", "no.such", *ADA],
    ["jobs", "show", NOBODYS, *ADA],
    ["jobs", "show", "no-id", *ADA],
    ["jobs", "cancel", NOBODYS, *ADA],
    ["jobs", "replay", NOBODYS, *ADA],
    ["jobs", "why", NOBODYS, *ADA],
    ["keys", "create", "nobody@example.com"],
    ["users", "create", "bob@example.com", "--password", "short"],
    ["users", "create", "ada@example.com", *PASSWORD],
    [*SUBMIT, "--data", "[1"],
    [*SUBMIT, "--payload", "5"],
    [*SUBMIT, "--payload", "[1]"],
    [*SUBMIT, "--data", "[1]", "--delay", "nan"],
    [*SUBMIT, "--data", "[1]", "--delay", "inf"],
    [*SUBMIT, "--data", "[1]", "--delay", "-5"],
    ["jobs", "list", *ADA, "--limit", "0"],
    ["jobs", "list", *ADA, "--limit", "-1"],
    ["users", "create", "nonsense", *PASSWORD],
    ["users", "create", "bob@example.com, eve@example.com", *PASSWORD],
]


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_one_sentence_and_no_traceback(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Error: " in done.output


def test_somebody_is_made_and_can_have_a_key(site: Site, run: Run) -> None:
    email = f"{uuid4().hex}@example.com"
    made = run("users", "create", email, "--name", "Bob", "--password", "a good long password")
    key = run("keys", "create", email).output.strip()
    me = site.program.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"}).json or {}
    assert (made.output.strip(), me["name"], me["verified"]) == (f"{email} can sign in.", "Bob", True)


def test_the_ledger_of_these_tests_is_whole(run: Run) -> None:
    done = run("audit", "--json")
    assert (done.exit_code, [each["offenders"] for each in json.loads(done.output) if each["offenders"]]) == (0, [])


def commands(app: Flask) -> list[list[str]]:
    found = [[name] for name in ("kinds", "relay", "audit", "doctor", "jobs", "users", "keys", "schedules")]
    return found + [["jobs", name] for name in ("submit", "list", "show", "cancel", "replay", "why")]


def test_every_command_says_what_it_does(site: Site, run: Run) -> None:
    for words in commands(site.app):
        done = run(*words, "--help")
        assert (done.exit_code, len(done.output.splitlines()) > 4) == (0, True), words
