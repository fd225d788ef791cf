"""Logs hold facts and places, never what an exception carried."""

from __future__ import annotations

from webapi.logs import where_it_failed


def test_an_exception_is_its_type_and_its_places() -> None:
    try:
        raise ValueError("canary@private.example")
    except ValueError as error:
        event = where_it_failed(None, "error", {"event": "failed", "exc_info": error})
    assert event["error"] == "ValueError"
    assert "test_logs" in event["at"][-1]
    assert "canary" not in str(event)


def test_an_event_without_an_exception_stays_as_it_is() -> None:
    assert where_it_failed(None, "info", {"event": "fine"}) == {"event": "fine"}
