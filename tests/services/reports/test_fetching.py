"""What no column type stands for is told as text."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import pytest

from webapi.services.reports.fetching import told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("é", "é"),
        (b"\x01\xff", "01ff"),
        ({"a": [1, "é", Decimal("1.50")]}, '{"a": [1, "é", "1.50"]}'),
        (["x", None], '["x", null]'),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (ip_address("10.0.0.1"), "10.0.0.1"),
    ],
)
def test_a_value_is_told(value: Any, text: str | None) -> None:
    assert told(value) == text
