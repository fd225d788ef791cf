"""What `report.build` takes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from webapi.tasks.report_build import ReportRequest, build_report


def test_everything_has_a_default() -> None:
    request = ReportRequest()
    assert (request.title, request.days, request.kind, request.format) == ("My jobs", 30, None, "csv")


@pytest.mark.parametrize(
    "given",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\nb"},
        {"days": 0},
        {"days": 367},
        {"format": "pdf"},
        {"format": "../csv"},
        {"kind": "x" * 101},
        {"owner_id": "01900000-0000-7000-8000-000000000000"},
    ],
)
def test_anything_else_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReportRequest.model_validate(given)


def test_without_an_owner_there_is_nothing_to_report() -> None:
    with pytest.raises(AssertionError, match="the owner of its job"):
        build_report(ReportRequest())
