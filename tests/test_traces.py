"""One trace from a request to the mail server, made of ids that are there anyway, told to a real collector."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from structlog.contextvars import clear_contextvars

from tests.conftest import Person
from tests.http_server import HttpServer, http_server
from tests.kinds.faulty import Note
from tests.processes import RealWorker
from tests.smtp_server import SmtpServer, smtp_server
from tests.waiting import until
from webapi import traces
from webapi.queue import submit
from webapi.spans import span_of, trace_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MAIL = {"to": ["canary@private.example"], "subject": "canary", "text": "canary"}


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def collector() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


@pytest.fixture
def app(
    make_app: Callable[..., Flask], collector: HttpServer, mail: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")  # milliseconds until spans are sent
    yield make_app(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("/"), MAIL_PORT=mail.port)
    traces.stop()


def told(collector: HttpServer) -> list[Any]:
    """Every span that the collector was told of so far."""
    found: list[Any] = []
    for request in collector.received:
        assert request.line.startswith("POST /v1/traces ")
        body = gzip.decompress(request.body) if request.headers.get("content-encoding") == "gzip" else request.body
        assert b"canary" not in body
        assert b"private" not in body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def spans(collector: HttpServer, trace: str | None = None) -> dict[str, Any]:
    """The newest of each name, of one trace or of all."""
    return {span.name: span for span in told(collector) if trace in {None, span.trace_id.hex()}}


def send(app: Flask, ada: Person, **headers: str) -> tuple[str, UUID]:
    """Ask for a mail. The request's id and the job's."""
    answer = app.test_client().post("/api/v1/jobs/email.send", json=MAIL, headers={**ada.headers, **headers})
    assert answer.status_code == 202, answer.text
    return answer.headers["X-Request-ID"], UUID((answer.json or {})["id"])


def test_one_trace_leads_from_the_request_to_the_mail_server(
    app: Flask, ada: Person, collector: HttpServer, mail: SmtpServer, start_worker: Callable[..., RealWorker],
    tmp_path: Path,
) -> None:  # fmt: skip
    start_worker(app)
    request_id, job_id = send(app, ada)
    until(lambda: mail.to("canary@private.example"), what="the mail")
    clear_contextvars()  # no request makes the next one, and its error says something private
    with app.app_context():
        broken = submit("test.broken", Note(path=str(tmp_path)), owner_id=ada.id).id
    traces.stop()
    trace, names = request_id.replace("-", ""), ["/api/v1/jobs/<kind:kind>", "accept email.send", "hints"]
    names += ["attempt email.send", "smtp"]
    until(lambda: set(names) <= set(spans(collector, trace)), seconds=60, what="the whole trace to be told")
    found = spans(collector, trace)
    for before, name in ((0, 1), (1, 2), (1, 3), (3, 4)):
        assert found[names[name]].parent_span_id == found[names[before]].span_id, names[name]
    assert found["accept email.send"].span_id == span_of(job_id).to_bytes(8, "big")
    assert any(name.startswith(("INSERT", "UPDATE", "SELECT")) for name in found), "the SQL between"
    until(lambda: "attempt test.broken" in spans(collector, broken.hex), seconds=60, what="the other trace")


@pytest.mark.parametrize(
    ("headers", "joined"),
    [
        ({"traceparent": f"00-{'a1' * 16}-{'b2' * 8}-01"}, True),
        ({"traceparent": f"00-{'a1' * 16}-{'b2' * 8}-01", "X-Request-ID": "an-id-of-their-own"}, False),
    ],
)
def test_a_callers_trace_is_joined_or_linked(
    app: Flask, ada: Person, collector: HttpServer, headers: dict[str, str], joined: bool
) -> None:
    send(app, ada)  # from here on this process traces
    request_id, _ = send(app, ada, **headers)
    traces.stop()
    span = spans(collector)["/api/v1/jobs/<kind:kind>"]
    if joined:
        assert (request_id, span.trace_id.hex(), span.parent_span_id.hex()) == ("a1" * 16, "a1" * 16, "b2" * 8)
    else:
        assert request_id == "an-id-of-their-own"
        assert span.trace_id == trace_of(request_id).to_bytes(16, "big")
        assert [(link.trace_id.hex(), link.span_id.hex()) for link in span.links] == [("a1" * 16, "b2" * 8)]


@pytest.mark.parametrize(
    "header", ["", "00-xyz", f"00-{'0' * 32}-{'b2' * 8}-01", f"ff-{'a1' * 16}-{'b2' * 8}-01", "x" * 9000]
)
def test_a_header_that_is_no_trace_is_nothing(app: Flask, ada: Person, collector: HttpServer, header: str) -> None:
    send(app, ada)
    request_id, _ = send(app, ada, traceparent=header)
    assert UUID(request_id).version == 7
    traces.stop()
    assert list(spans(collector)["/api/v1/jobs/<kind:kind>"].links) == []


def test_without_an_endpoint_nothing_is_traced(make_app: Callable[..., Flask], ada: Person) -> None:
    plain = make_app()
    with plain.app_context():
        traces.start(plain)
        assert traces.step("smtp") is traces.accepting(UUID(int=1), "email.send")
        assert traces.request_id(f"00-{'a1' * 16}-{'b2' * 8}-01") is None
    traces.stop()
