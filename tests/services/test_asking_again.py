"""The curl line that submits a job again; tests/blueprints/test_jobs_again.py runs it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Person
from webapi.models import Job
from webapi.queue import kind_named
from webapi.services import asking_again, jobs

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


def asked(ada: Person, kind: str, payload: dict[str, Any], **options: Any) -> Job:
    declared = kind_named(kind)
    return jobs.submit(ada.row, declared, declared.payload.model_validate(payload), **options)


def test_its_words_are_those_of_the_request(app: Flask, ada: Person) -> None:
    job = asked(ada, "data.process", {"data": ["it's", "$HOME `id`"]}, tags=["a/b", "c"], priority=3)
    line = asking_again.curl(job)
    assert line is not None
    words = shlex.split(line.replace("\\\n", " "))
    address = f"{app.config['PUBLIC_URL']}/api/v1/jobs/data.process?tag=a%2Fb&tag=c&priority=3"
    assert words[:5] == ["curl", "-sS", address, "-H", "Authorization: Bearer $WEBAPI_KEY"]


def test_a_secret_is_not_in_it(ada: Person) -> None:
    job = asked(ada, "http.call", {"url": "https://example.com/", "secret_headers": {"X-Key": "canary-of-curl"}})
    line = asking_again.curl(job)
    assert line is not None
    assert "canary" not in line
    assert '"X-Key": "***"' in line


def test_a_payload_that_no_shell_takes_has_no_line(ada: Person) -> None:
    assert asking_again.curl(asked(ada, "data.process", {"data": "x" * 150_000})) is None


def test_a_kind_without_a_door_has_no_line(ada: Person) -> None:
    job = asked(ada, "data.process", {"data": 1})
    job.kind = "test.talk"
    assert asking_again.curl(job) is None
