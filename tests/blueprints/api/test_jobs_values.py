"""What was accepted is shown as it was, whichever database keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.blueprints.site import Site

VALUES: dict[str, Any] = {
    "numbers": [0, -1, 0.1, 1e-7, -2.5, 2**63 - 1],
    "a whole number with a point": [1.0, -0.0, 1e15],
    "a large number": 1.5e300,
    "names in their order": {"zeta": 1, "b": 2, "aa": 3, "a": 4},
    "texts": ["", " ", "a\tb\nc", "Zürich", "\U0001f600", "\u2028", "\\u0000", "</script>"],
    "nothing and everything": [None, True, False, [], {}, [[]], {"": {"": None}}],
}


@pytest.mark.parametrize("name", VALUES)
def test_a_payload_comes_back_as_it_was_to_the_letter(site: Site, name: str) -> None:
    value = VALUES[name]
    job = site.submit("data.process", {"data": value})
    shown = site.program.get(f"/api/v1/jobs/{job['id']}", headers=site.ada.headers).json or {}
    assert json.dumps(shown["payload"]["data"]) == json.dumps(value)


def test_the_columns_of_a_profile_are_in_the_order_of_the_data(site: Site) -> None:
    job = site.submit("data.process", {"data": [{"zeta": 1, "b": 2, "aa": 3}]}, priority=0)
    while site.job(job["id"]).state == "queued":
        site.work("data.process")
    result = site.job(job["id"]).result or {}
    assert [column["name"] for column in result["columns"]] == ["zeta", "b", "aa"]
