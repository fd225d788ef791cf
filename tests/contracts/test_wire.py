"""What stands in a message: ids and a MAC, and nothing that anybody would mind to see in Redis."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from webapi import create_app
from webapi.queue.hints import Hint, Hints

UUID_OR_MAC = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|v1\.[0-9a-f]{64}")
ORIGIN = re.compile(r"[0-9]+@[\w.-]+")
CONSTANTS = {"", "()", "py", "utf-8", "application/json", "base64"}


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app({"DATABASE_URL": "sqlite://"})


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def test_a_hint_holds_ids_and_a_mac_and_nothing_else(app: Flask) -> None:
    hint = Hint("email.send", "email", uuid4())
    message = json.loads(Hints(app).message(hint))
    body = json.loads(base64.b64decode(message.pop("body")))
    known = CONSTANTS | {hint.kind, hint.queue, repr({"job": str(hint.job_id)})}
    texts = {each for each in leaves([message, body]) if isinstance(each, str)} - known
    strange = {each for each in texts if not UUID_OR_MAC.fullmatch(each) and not ORIGIN.fullmatch(each)}
    assert not strange, "a message may hold ids and a MAC; what a job needs else is read from the ledger"


def test_the_only_argument_is_the_job(app: Flask) -> None:
    job_id = uuid4()
    message = json.loads(Hints(app).message(Hint("email.send", "email", job_id)))
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert (args, kwargs) == ([], {"job": str(job_id)})


def test_no_hint_names_another_than_its_own_job(app: Flask) -> None:
    job_id = uuid4()
    message = Hints(app).message(Hint("email.send", "email", job_id)).decode()
    ids = {UUID(each) for each in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", message)}
    assert {each for each in ids if each.version != 7} == {job_id}
