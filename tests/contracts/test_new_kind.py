"""A new kind is one file: put it there, and every door is open."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

import webapi.tasks
from tests.blueprints.site import Browser
from tests.conftest import Person
from tests.contracts.source import PACKAGE
from webapi.queue import kind_named
from webapi.queue.run import work

FILE = '''
from pydantic import BaseModel, Field

from webapi.queue import Retry, job


class Greeting(BaseModel):
    name: str = Field(min_length=1, description="Who is greeted.")
    times: int = Field(1, ge=1, le=9)


@job("greeting.write", retry=Retry(on=(OSError,), budget=2), public=True)
def write(greeting: Greeting) -> dict[str, str]:
    """Write a greeting."""
    return {"text": f"Hello {greeting.name}! " * greeting.times}
'''


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "greeting_write.py").write_text(FILE)
    monkeypatch.setattr(webapi.tasks, "__path__", [str(PACKAGE / "tasks"), str(folder)])
    return make_app()


def test_the_file_is_short() -> None:
    assert len(FILE.strip().splitlines()) <= 15


def test_its_endpoint_takes_what_it_declares_and_its_worker_does_it(app: Flask, ada: Person) -> None:
    client = app.test_client()
    path = "/api/v1/jobs/greeting.write"
    job = client.post(path, json={"name": "Bob", "times": 2}, headers=ada.headers).json or {}
    refused = client.post(path, json={"name": "", "times": 10}, headers=ada.headers).get_json(force=True)
    with app.app_context():
        work(kind_named("greeting.write"))
    done = client.get(job["links"]["self"], headers=ada.headers).json or {}
    assert [error["pointer"] for error in refused["errors"]] == ["/name", "/times"]
    assert (done["state"], done["result"]) == ("succeeded", {"text": "Hello Bob! Hello Bob! "})


def test_its_form_is_drawn_and_accepts(app: Flask, ada: Person) -> None:
    browser = Browser(app, ada)
    page = browser.get("/new/greeting.write").text
    assert 'name="name" required' in page
    assert "Who is greeted." in page
    assert 'type="number"' in page
    assert browser.post("/new/greeting.write", {"name": "Bob"}).status_code == 303
    assert "greeting.write" in browser.get("/new").text


def test_it_is_in_the_openapi_document_and_among_the_kinds(app: Flask, ada: Person) -> None:
    client = app.test_client()
    spec = client.get("/api/v1/openapi.json").get_json(force=True)
    assert spec["paths"]["/api/v1/jobs/greeting.write"]["post"]["summary"] == "Write a greeting."
    assert spec["components"]["schemas"]["greeting_write_payload"]["required"] == ["name"]
    assert client.get("/api/v1/kinds/greeting.write", headers=ada.headers).status_code == 200


def test_it_is_a_command(app: Flask, ada: Person) -> None:
    runner = app.test_cli_runner()
    told = runner.invoke(args=["jobs", "submit", "greeting.write", "--help"])
    done = runner.invoke(args=["jobs", "submit", "greeting.write", "--owner", ada.email, "--name", "Bob", "--json"])
    assert "Who is greeted." in told.output
    assert (done.exit_code, json.loads(done.output)["state"]) == (0, "queued")
    assert "greeting.write" in runner.invoke(args=["kinds"]).output


def test_it_is_a_task_of_celery_on_a_queue_that_is_worked(app: Flask) -> None:
    celery = app.extensions["celery"]
    assert "greeting.write" in celery.tasks
    assert celery.conf.task_routes["greeting.write"] == {"queue": "default"}
