"""What the answer to an acceptance says without looking: the same as the ledger says when it is asked."""

from __future__ import annotations

from typing import Any

import pytest
from flask import url_for
from sqlalchemy import event

from tests.blueprints.site import Site
from webapi.extensions import db
from webapi.services.holders import Holders

JOBS = "/api/v1/jobs"
MAIL = {"to": ["a@example.com", "b@example.com", "a@example.com"], "subject": "ü <b>", "text": "\u2028 t"}
ORDERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "no effects": ("data.process", {"data": [{"city": "Zürich", "n": 1.5e300}, None]}, {}),
    "two mails": ("email.send", MAIL, {"tag": ["a", "b"], "priority": 3}),
    "a secret": ("http.call", {"url": "https://127.0.0.1:1/", "secret_headers": {"X-Token": "canary"}}, {}),
    "later": ("data.process", {"data": 1}, {"delay": 3600, "deadline": "2100-01-01T00:00:00Z"}),
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_answer_says_what_the_ledger_says(site: Site, order: str) -> None:
    kind, payload, query = ORDERS[order]
    accepted = site.submit(kind, payload, **query)
    assert accepted == site.program.get(f"{JOBS}/{accepted['id']}", headers=site.ada.headers).json
    assert "canary" not in str(accepted)


def test_what_a_new_job_cannot_have_is_not_looked_for(site: Site) -> None:
    """Neither its files, nor its effects, nor a second time who asks."""
    before, site.app.extensions["holders"] = site.app.extensions["holders"], Holders(lambda: 0.0)
    site.submit("email.send", MAIL)  # who asks is known from here on, for no time passes
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        seen.append(statement)

    with site.app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        site.submit("email.send", MAIL)
        event.remove(db.engine, "before_cursor_execute", note)
    site.app.extensions["holders"] = before
    assert seen
    assert not [each for each in seen if each.startswith("SELECT") and ("artifacts" in each or "FROM effects" in each)]
    assert not [each for each in seen if "FROM api_keys" in each or "users.email" in each]


def test_an_order_that_is_sent_again_is_told_how_its_job_stands_now(site: Site) -> None:
    headers = {**site.ada.headers, "Idempotency-Key": "told-how-it-stands"}
    orders = [site.program.post(f"{JOBS}/data.process", json={"data": [1]}, headers=headers).json or {}]
    while site.job(orders[0]["id"]).state == "queued":
        site.work("data.process")
    orders.append(site.program.post(f"{JOBS}/data.process", json={"data": [1]}, headers=headers).json or {})
    assert [each["state"] for each in orders] == ["queued", "succeeded"]
    assert [each["id"] for each in orders] == [orders[0]["id"]] * 2
    assert orders[1]["result"] is not None


def test_an_order_is_the_same_to_a_process_with_another_secret_key(site: Site) -> None:
    """Without secrets in it, its fingerprint is under no key."""
    headers = {**site.ada.headers, "Idempotency-Key": "under-another-key"}
    before = site.app.config["SECRET_KEY"]
    first = site.program.post(f"{JOBS}/data.process", json={"data": [1]}, headers=headers)
    site.app.config["SECRET_KEY"] = "another-key-of-the-tests-is-long-enough-too"
    try:
        second = site.program.post(f"{JOBS}/data.process", json={"data": [1]}, headers=headers)
    finally:
        site.app.config["SECRET_KEY"] = before
    assert (second.status_code, (second.json or {})["id"]) == (202, (first.json or {})["id"])


@pytest.mark.parametrize("root", ["", "/under"])
def test_the_links_are_those_of_the_doors(site: Site, root: str) -> None:
    answer = site.program.post(
        f"{JOBS}/data.process", json={"data": 1}, headers=site.ada.headers, environ_overrides={"SCRIPT_NAME": root}
    )
    found = answer.json or {}
    with site.app.test_request_context(environ_overrides={"SCRIPT_NAME": root}):
        doors = {
            name: url_for(f"api_jobs.{'show' if name == 'self' else name}", job_id=found["id"])
            for name in found["links"]
            if name != "page"
        }
        assert found["links"] == {**doors, "page": url_for("jobs.show", job_id=found["id"])}
    assert answer.headers["Location"] == found["links"]["self"]
