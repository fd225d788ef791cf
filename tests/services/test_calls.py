"""A call is made once, or again under the same id and counted; and the ledger says which."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests.http_server import Act, HttpServer, http_server
from tests.queue.rows import accept, change, effects, job
from webapi.models import Effect
from webapi.models.columns import after
from webapi.queue import kind_named
from webapi.queue.audit import audit
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services.calls import signature, wait_of
from webapi.tasks.http_call import HttpCall

pytestmark = pytest.mark.usefixtures("owner")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def service(ground: Flask) -> Iterator[HttpServer]:
    """The service that may be called; its answer is waited for 0.8 seconds."""
    before = {name: ground.config[name] for name in ("CALL_PRIVATE", "CALL_SECRET", "LEASE_SECONDS")}
    with http_server() as server:
        ground.config.update(CALL_PRIVATE=[server.place], LEASE_SECONDS=2)
        yield server
        ground.config.update(before)


def make(service: HttpServer, **payload: Any) -> UUID:
    """A job, and its first attempt."""
    job_id = accept("http.call", HttpCall.model_validate({"url": service.url(), "data": {"n": 1}, **payload}))
    work(kind_named("http.call"))
    return job_id


def again(job_id: UUID) -> None:
    """The next attempt, when the wait for it is over."""
    change(job_id, run_at=after(0))
    wake_due()
    work(kind_named("http.call"))


def effect(job_id: UUID) -> Effect:
    (only,) = effects(job_id).values()
    return only


def whole() -> bool:
    return not [finding for finding in audit() if finding.offenders]


def test_an_expected_answer_is_the_result_and_the_receipt(service: HttpServer) -> None:
    service.plan(Act(201, (("X-Request-Id", "r1"),), b"made"))
    job_id = make(service, headers={"X-Mine": "1"})
    done, left = job(job_id), effect(job_id)
    assert (done.state, left.state, left.code, left.reply) == ("succeeded", "done", 201, "made")
    assert done.result is not None
    assert (done.result["status"], done.result["body"], done.result["truncated"]) == (201, "made", False)
    assert done.result["headers"] == {"x-request-id": "r1"}
    (request,) = service.stored
    assert (request.line, request.body) == ("POST /hook HTTP/1.1", b'{"n": 1}')
    assert (request.headers["content-type"], request.headers["x-mine"]) == ("application/json", "1")
    assert request.headers["user-agent"].startswith("webapi/")


@pytest.mark.parametrize(("payload", "status"), [({}, 200), ({"expected_status": 404}, 404)])
def test_in_the_sandbox_nothing_leaves_and_the_receipt_says_so(
    service: HttpServer, payload: dict[str, Any], status: int
) -> None:
    call = HttpCall.model_validate({"url": service.url(), "data": 1, **payload})
    job_id = accept("http.call", call, sandbox=True)
    work(kind_named("http.call"))
    played = effect(job_id)
    assert (job(job_id).state, played.state, played.code, played.reply) == (
        "succeeded", "done", status, "played: sandbox",
    )  # fmt: skip
    assert (service.connections, whole()) == (0, True)


def test_each_call_carries_its_id_and_its_moment(service: HttpServer) -> None:
    job_id = make(service)
    headers = service.stored[0].headers
    assert headers["webhook-id"] == str(effect(job_id).id)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 10
    assert "webhook-signature" not in headers


@pytest.mark.parametrize("payload", [{}, {"data": None, "text": "grüß"}, {"data": None, "method": "GET"}])
def test_with_a_secret_each_call_is_signed(service: HttpServer, ground: Flask, payload: dict[str, Any]) -> None:
    ground.config["CALL_SECRET"] = SECRET
    make(service, **payload)
    (request,) = service.stored
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(SECRET[6:])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"


def test_a_signature_is_what_other_implementations_make() -> None:
    """The example that the libraries of Standard Webhooks share."""
    made = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_go_better_later_is_tried_again_under_the_same_id(service: HttpServer, status: int) -> None:
    service.plan(Act(status))
    job_id = make(service)
    assert (job(job_id).state, effect(job_id).state, effect(job_id).code) == ("retrying", "pending", status)
    assert (job(job_id).error_public or "").startswith(f"The service answered {status}")
    again(job_id)
    left = effect(job_id)
    assert (job(job_id).state, left.state, left.resends, left.maybe) == ("succeeded", "done", 0, False)
    assert [request.headers["webhook-id"] for request in service.received] == [str(left.id)] * 2
    assert whole()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422])
def test_what_is_declined_is_not_tried_again(service: HttpServer, status: int) -> None:
    service.plan(Act(status, (("Location", "/elsewhere"),)))
    job_id = make(service)
    assert (job(job_id).state, effect(job_id).state, effect(job_id).code) == ("failed", "refused", status)
    assert (job(job_id).error_public or "").startswith(f"The service answered {status} ")
    assert len(service.received) == 1
    assert whole()


@pytest.mark.parametrize(("status", "state"), [(404, "succeeded"), (200, "failed"), (201, "failed")])
def test_the_expected_status_is_the_only_success(service: HttpServer, status: int, state: str) -> None:
    service.plan(Act(status))
    assert job(make(service, expected_status=404)).state == state


def test_a_retry_comes_no_sooner_than_the_service_asks(service: HttpServer) -> None:
    service.plan(Act(429, (("Retry-After", "120"),)))
    waiting = job(make(service))
    assert 110 < (waiting.run_at - datetime.now(UTC)).total_seconds() <= 121


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("999999999", 3600.0),
        ("9" * 5000, None),
        ("-5", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2099 12:00:00 GMT", 3600.0),
        ("Sun, 99 Mar 2026 12:00:00 GMT", None),
        ("Sun, 01 Mar 99999999999 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_is_capped(value: str, seconds: float | None) -> None:
    assert wait_of(value, NOON) == seconds


def test_what_may_not_be_called_is_refused_and_not_connected_to(service: HttpServer, ground: Flask) -> None:
    ground.config["CALL_PRIVATE"] = []
    ground.config["CALL_PORTS"] = [service.port]
    job_id = make(service)
    ground.config["CALL_PORTS"] = []
    assert (job(job_id).state, job(job_id).error_code, effect(job_id).state) == ("failed", "not_callable", "refused")
    assert service.connections == 0
    assert whole()


def test_a_service_that_cannot_be_reached_leaves_no_mark(service: HttpServer) -> None:
    job_id = make(service, url="http://nobody.invalid/")
    assert (job(job_id).state, effect(job_id).state, effect(job_id).try_no) == ("retrying", "pending", 0)
    assert (job(job_id).error_public or "").startswith("The name of the service cannot be resolved")


SILENT = [
    Act(does="hang up early"),
    Act(does="hang up", stores=False),
    Act(does="hang up", stores=True),
    Act(does="stay silent", stores=True),
    Act(does="drip status", stores=True),
]


@pytest.mark.parametrize("act", SILENT, ids=lambda act: f"{act.does}, {act.stores}")
def test_what_nobody_answered_is_sent_again_under_the_same_id_and_counted(service: HttpServer, act: Act) -> None:
    service.plan(act)
    job_id = make(service)
    assert (job(job_id).state, effect(job_id).state) == ("retrying", "unknown")
    assert job(job_id).error_public == "The service had the request and gave no answer."
    again(job_id)
    left = effect(job_id)
    assert (job(job_id).state, left.state, left.resends, left.maybe) == ("succeeded", "done", 1, True)
    assert {request.headers["webhook-id"] for request in service.received} == {str(left.id)}
    assert len(service.stored) == 1 + bool(act.stores)
    assert whole()


def test_without_any_answer_the_job_is_uncertain_and_a_person_may_run_it_again(service: HttpServer) -> None:
    service.plan(Act(does="hang up", stores=True), Act(does="hang up", stores=True))
    job_id = accept("http.call", HttpCall(url=service.url()))
    change(job_id, attempt_budget=2)
    work(kind_named("http.call"))
    again(job_id)
    left = effect(job_id)
    assert (job(job_id).state, left.state, left.resends, len(service.stored)) == ("uncertain", "unknown", 1, 2)
    assert whole()


def test_an_answer_to_the_second_try_does_not_excuse_the_silence_of_the_first(service: HttpServer) -> None:
    service.plan(Act(does="hang up", stores=True), Act(410))
    job_id = make(service)
    again(job_id)
    assert (job(job_id).state, effect(job_id).state, effect(job_id).code) == ("uncertain", "unknown", 410)
    assert whole()


def test_what_an_earlier_attempt_did_is_not_done_again_and_its_receipt_is_the_result(service: HttpServer) -> None:
    job_id = make(service)
    change(job_id, state="queued", finished_at=None, epoch=1, result=None)
    work(kind_named("http.call"))
    assert (job(job_id).state, job(job_id).result) == ("succeeded", {"status": 200, "body": "taken"})
    assert len(service.received) == 1


def test_no_secret_of_a_call_is_on_its_receipt(service: HttpServer) -> None:
    job_id = make(service, url=service.url("/hook?token=canary"), headers={"Authorization": "Bearer canary"})
    left = effect(job_id)
    assert left.effect_key == f"POST {service.url('/hook')}"
    assert service.received[0].headers["authorization"] == "Bearer canary"


@pytest.mark.parametrize("status", [200, 404])
def test_a_service_that_repeats_a_secret_brings_it_into_no_row(service: HttpServer, status: int) -> None:
    service.plan(
        Act(status, (("Location", "/?t=canary-of-headers"),), b'{"headers": {"X": "Bearer canary-of-headers"}}')
    )
    job_id = make(service, secret_headers={"X": "Bearer canary-of-headers"})
    assert service.received[0].headers["x"] == "Bearer canary-of-headers"
    told = f"{vars(job(job_id))} {vars(effect(job_id))}"
    assert "canary-of-headers" not in told
    assert '"X": "…"' in (effect(job_id).reply or "")


@pytest.mark.parametrize("status", [400, 503])
def test_the_answer_that_ended_it_is_shown_although_the_job_failed(service: HttpServer, status: int) -> None:
    service.plan(Act(status, (("X-Request-Id", "r1"),), b"because" * 400))
    job_id = accept("http.call", HttpCall(url=service.url()))
    change(job_id, attempt_budget=1)
    work(kind_named("http.call"))
    failed = job(job_id)
    assert failed.result is not None
    assert (failed.state, failed.result["status"], failed.result["body"]) == ("failed", status, "because" * 400)
    assert failed.result["headers"] == {"x-request-id": "r1"}
    change(job_id, attempt_budget=2)
    assert whole()
