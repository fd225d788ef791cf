"""What needs OpenTelemetry's library. No span holds an address, a body, a query or the message of an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from uuid import UUID

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from sqlalchemy import Engine

from webapi.version import VERSION
from webapi.watch_settings import TRACES

HEXADECIMAL = re.compile(r"[0-9a-f]{32}")
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")  # W3C Trace Context, section 3.2
BATCH = 14  # bits in which the ids of one batch differ; its jobs were accepted together

_next: ContextVar[tuple[int | None, int | None]] = ContextVar("next", default=(None, None))


class _Ids(RandomIdGenerator):
    """Random ids, unless the next span's are known."""

    def generate_trace_id(self) -> int:
        return _next.get()[0] or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return _next.get()[1] or super().generate_span_id()


def trace_of(request_id: str) -> int:
    """The id of a request's trace: the request's own if it has the form of one, as ours have; else made from it."""
    plain = request_id.replace("-", "").lower()
    found = int(plain, 16) if HEXADECIMAL.fullmatch(plain) else 0
    return found or int.from_bytes(sha256(request_id.encode()).digest()[:16])


def span_of(job_id: UUID) -> int:
    """The id of the span in which a job was accepted."""
    return int.from_bytes(sha256((job_id.int >> BATCH).to_bytes(16)).digest()[:8])


class Tracer:
    """Makes the spans of one process, and sends them from a thread."""

    def __init__(self, endpoint: str, engines: Sequence[Engine]) -> None:
        resource = Resource({SERVICE_NAME: "webapi", "service.version": VERSION})
        self._provider = TracerProvider(resource=resource.merge(OTELResourceDetector().detect()), id_generator=_Ids())
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + TRACES)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("webapi", VERSION)
        if engines:  # it names 2.0 as its newest SQLAlchemy, and works with 2.1
            SQLAlchemyInstrumentor().instrument(
                engines=list(engines), tracer_provider=self._provider, skip_dep_check=True
            )

    def stop(self) -> None:
        self._provider.shutdown()

    def trace_asked(self, traceparent: str) -> str | None:
        asked = _asked(traceparent)
        return format(asked.trace_id, "032x") if asked else None

    @contextmanager
    def request(self, request_id: str, traceparent: str | None, method: str) -> Iterator[None]:
        """A child of the asker's span when the trace is the same, and otherwise linked with it."""
        trace_id, asked = trace_of(request_id), _asked(traceparent or "")
        same = asked is not None and asked.trace_id == trace_id
        links = [Link(asked)] if asked is not None and not same else []
        parent = asked if same else None
        with self._span(f"HTTP {method}", SpanKind.SERVER, parent, (trace_id, None), links=links, root=True):
            yield

    def answered(self, route: str, status: int) -> None:
        span = trace.get_current_span()
        span.update_name(f"{route}")
        span.set_attributes({"http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))

    @contextmanager
    def accepting(self, job_id: UUID, kind: str) -> Iterator[None]:
        with self._span(f"accept {kind}", SpanKind.PRODUCER, None, (None, span_of(job_id)), {"kind": kind}):
            yield

    @contextmanager
    def attempt(self, job_id: UUID, request_id: str | None, kind: str, number: int) -> Iterator[None]:
        """A job that no request made, such as a schedule's, has a trace whose id is the job's."""
        trace_id = trace_of(request_id or str(job_id))
        parent = SpanContext(trace_id, span_of(job_id), True, self._flags(trace_id)) if request_id else None
        facts: dict[str, str | int] = {"kind": kind, "job": str(job_id), "attempt": number}
        with self._span(f"attempt {kind}", SpanKind.CONSUMER, parent, (trace_id, None), facts, root=True):
            yield

    @contextmanager
    def step(self, name: str, counts: Mapping[str, int]) -> Iterator[None]:
        with self._span(name, SpanKind.CLIENT, None, (None, None), counts):
            yield

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        parent: SpanContext | None,
        ids: tuple[int | None, int | None],
        facts: Mapping[str, str | int] | None = None,
        *,
        links: Sequence[Link] = (),
        root: bool = False,
    ) -> Iterator[None]:
        """A span of these ids. One that is a `root` here has `parent` or none, and no other has one given."""
        context = trace.set_span_in_context(NonRecordingSpan(parent or trace.INVALID_SPAN_CONTEXT)) if root else None
        token = _next.set(ids)
        try:
            span = self._tracer.start_span(name, context, kind, facts, links)
        finally:
            _next.reset(token)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def _flags(self, trace_id: int) -> TraceFlags:
        """Whether the trace is one of those that are kept: the sampler says of an id what it said in the web server."""
        sampled = self._provider.sampler.should_sample(None, trace_id, "").decision.is_sampled()  # type: ignore[no-untyped-call]
        return TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)


def _asked(traceparent: str) -> SpanContext | None:
    found = TRACEPARENT.fullmatch(traceparent)
    if not found:
        return None
    context = SpanContext(int(found[1], 16), int(found[2], 16), True, TraceFlags(int(found[3], 16) & 1))
    return context if context.is_valid else None
