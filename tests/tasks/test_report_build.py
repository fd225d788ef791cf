"""What `report.build` takes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

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
        {"owner_id": "01900000-0000-7000-8000-000000000000"},
    ],
)
def test_anything_else_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReportRequest.model_validate(given)


def test_without_an_owner_there_is_nothing_to_report() -> None:
    with pytest.raises(AssertionError, match="its owner's"):
        build_report(ReportRequest())
