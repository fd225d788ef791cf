"""Ids of traces that follow from ids that are there."""

from __future__ import annotations

import subprocess
import sys
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from tests.processes import ROOT
from webapi import create_app
from webapi.errors import ConfigError
from webapi.spans import span_of, trace_of


def test_a_request_id_of_ours_is_the_trace_id() -> None:
    made = uuid7()
    assert trace_of(str(made)) == made.int
    assert trace_of(made.hex.upper()) == made.int


@pytest.mark.parametrize("given", ["an-id-of-their-own", "0" * 32, "a" * 31, "x" * 64])
def test_any_other_id_makes_one(given: str) -> None:
    assert 0 < trace_of(given) < 1 << 128
    assert trace_of(given) == trace_of(given) != trace_of(given + "1")


def test_the_jobs_of_a_batch_were_accepted_together_and_others_apart() -> None:
    base = UUID(int=uuid7().int & ~0x3FFF)
    assert span_of(base) == span_of(UUID(int=base.int + 9_999))
    assert len({span_of(uuid7()) for _ in range(1000)}) == 1000


def test_an_endpoint_without_the_library_is_refused_with_the_command_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "webapi.spans")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigError, match=r"pip install 'webapi\[otel\]'"):
        create_app({"DATABASE_URL": "sqlite://", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


def test_without_the_library_everything_else_works() -> None:
    hidden = "import sys; sys.modules['opentelemetry'] = None; sys.modules['sentry_sdk'] = None; "
    code = (
        hidden
        + "from webapi import create_app, traces, reporting; create_app(); print(traces.spans, reporting.sentry_sdk)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "None None"
