"""SECRET_KEY is changed by rolling restarts, and nothing that anybody holds is refused meanwhile.

The new key is first made known to every process, then signs, and the old one goes last: `docs/operations.md`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tests.blueprints.site import TOKEN, Browser
from tests.conftest import Person
from tests.kinds.faulty import Note
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import kind_named, submit
from webapi.queue.hints import Hint
from webapi.queue.run import work
from webapi.queue.signing import verified
from webapi.services import links, tickets

OLD, NEW = "the-key-of-before-is-long-enough-for-anything", "the-key-of-tomorrow-is-long-enough-for-anything"
STEPS: dict[str, dict[str, Any]] = {
    "before": {"SECRET_KEY": OLD},
    "known": {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": [NEW]},
    "signs": {"SECRET_KEY": NEW, "SECRET_KEY_FALLBACKS": [OLD]},
}
# Which processes live side by side while one step follows the other.
PAIRS = [("before", "known"), ("known", "before"), ("known", "signs"), ("signs", "known")]

Make = Callable[..., Flask]
each_pair = pytest.mark.parametrize(("one", "other"), PAIRS)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@each_pair
@on_sqlite
def test_a_session_and_a_form_of_one_process_are_good_at_the_other(make_app: Make, one: str, other: str) -> None:
    first, second = make_app(**STEPS[one]), make_app(**STEPS[other])
    browser = Browser(first, Person(first, "ada@example.com"))
    page = browser.get("/new/data.process").text
    found = TOKEN.search(page)
    assert found is not None
    there = second.test_client()
    with browser.client.session_transaction() as session:
        kept = dict(session)
    cookie = first.session_interface.get_signing_serializer(first).dumps(kept)  # type: ignore[attr-defined]
    there.set_cookie("session", cookie)
    assert there.get("/jobs").status_code == 200
    answer = there.post("/new/data.process", data={"csrf_token": found[1], "data": "[1]"})
    assert answer.status_code == 303, answer.text


@each_pair
@on_sqlite
def test_a_request_that_is_sent_again_is_the_same_job_at_the_other(make_app: Make, one: str, other: str) -> None:
    """Its fingerprint holds a keyed digest of each secret."""
    first, second = make_app(**STEPS[one]), make_app(**STEPS[other])
    ada = Person(first, "ada@example.com")
    call = {"url": "https://example.com/", "secret_headers": {"X-Token": "canary"}}

    def ask(app: Flask, path: str, body: Any) -> Any:
        headers = {**ada.headers, "Idempotency-Key": f"the-same-{path[-5:]}"}
        answer = app.test_client().post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code in {200, 202, 207}, answer.text
        return answer.get_json()

    assert ask(first, "/jobs/http.call", call)["id"] == ask(second, "/jobs/http.call", call)["id"]
    batch = "/jobs/http.call/batch"
    assert [each["id"] for each in ask(first, batch, [call])["items"]] == [
        each["id"] for each in ask(second, batch, [call])["items"]
    ]
    other_call = call | {"secret_headers": {"X-Token": "other"}}
    headers = {**ada.headers, "Idempotency-Key": "the-same-.call"}
    answer = second.test_client().post("/api/v1/jobs/http.call", json=other_call, headers=headers)
    assert answer.status_code == 422, "another secret is another request"


@each_pair
@on_sqlite
def test_hints_secrets_links_and_tickets_of_one_are_good_at_the_other(make_app: Make, one: str, other: str) -> None:
    first, second = make_app(**STEPS[one]), make_app(**STEPS[other])
    ada = Person(first, "ada@example.com")
    with first.app_context():
        link, for_ever = links.sign("a link", 1), links.sign_for_ever("a link", 1)
        ticket = tickets.token(tickets.issue(tickets.INVITATION, "eve@example.com", 60))
        job_id = submit("test.note", Note(), owner_id=ada.id).id
        message = first.extensions["hints"].message(Hint("test.note", "default", job_id))
    assert is_good(second, message)
    with second.app_context():
        assert (links.read("a link", link, 60), links.read_for_ever("a link", for_ever)) == (1, 1)
        assert tickets.find(tickets.INVITATION, ticket).email == "eve@example.com"


def is_good(app: Flask, raw: bytes) -> bool:
    """Whether a worker of this app would run what that message asks for."""
    envelope = json.loads(raw)
    args, kwargs, _ = json.loads(base64.b64decode(envelope["body"]))
    request = SimpleNamespace(headers=envelope["headers"], id=envelope["headers"]["id"], timelimit=None)
    return verified(app, envelope["headers"]["task"], request, args, kwargs)


@on_sqlite
def test_without_the_first_step_a_process_of_before_refuses_what_a_new_one_signs(make_app: Make) -> None:
    """Why there are two steps."""
    first, second = make_app(**STEPS["before"]), make_app(**STEPS["signs"])
    message = second.extensions["hints"].message(Hint("test.note", "default", uuid4()))
    assert not is_good(first, message)
    assert is_good(second, first.extensions["hints"].message(Hint("test.note", "default", uuid4())))


@on_sqlite
def test_a_secret_of_one_is_opened_by_the_other_and_by_a_later_one_once_it_is_sealed_anew(make_app: Make) -> None:
    known, signs = make_app(**STEPS["known"]), make_app(**STEPS["signs"])
    later = make_app(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[])
    ada = Person(known, "ada@example.com")
    headers = {**ada.headers}
    call = {"url": "https://127.0.0.1:1/", "secret_headers": {"X-Token": "canary"}}
    known.test_client().post("/api/v1/jobs/http.call", json=call, headers=headers)
    assert signs.test_cli_runner().invoke(args=["reseal"]).output.startswith("Sealed anew: 1 jobs")
    with later.app_context():
        work(kind_named("http.call"))
        assert db.session.query(Job).one().error_code != "unopenable"
