"""What `report.build` takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from webapi.services.queries import periods
from webapi.tasks.report_build import ReportRequest, build_report


def test_everything_has_a_default() -> None:
    request = ReportRequest()
    assert (request.report, request.title, request.parameters, request.format) == ("jobs", None, {}, "csv")


@pytest.mark.parametrize(
    "given",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\nb"},
        {"timezone": "Mars/Base"},
        {"max_age": -1},
        {"max_age": 32 * 86400},
        {"send_to": ["nobody"]},
        {"send_to": ["a@example.com"] * 51},
        {"parameters": {"period": 1}},
        {"format": "../csv"},
        {"report": "x" * 121},
        {"days": 0},
        {"days": 7, "report": "jobs"},
        {"owner_id": "01900000-0000-7000-8000-000000000000"},
    ],
)
def test_anything_else_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReportRequest.model_validate(given)


@pytest.mark.parametrize("days", [1, 30, 366])
def test_what_was_accepted_when_days_were_no_parameter_means_the_same(days: int) -> None:
    kept = {"title": "My jobs", "days": days, "kind": "email.send", "format": "json", "mail_me": True}
    request = ReportRequest.model_validate(kept)
    assert (request.report, request.title, request.format, request.mail_me) == ("jobs", "My jobs", "json", True)
    assert request.parameters.pop("kind") == "email.send"
    first, end = periods.days(request.parameters["period"], datetime.now(UTC).date())
    assert (end - first).days == days
    assert list(ReportRequest.model_validate({**kept, "kind": None}).parameters) == ["period"]


def test_without_an_owner_there_is_nothing_to_report() -> None:
    with pytest.raises(AssertionError, match="its owner's"):
        build_report(ReportRequest())
