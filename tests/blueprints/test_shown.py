"""How values are shown on pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from webapi.blueprints.shown import ago, iso, pretty, seconds, size

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (0, "just now"),
        (-0.9, "just now"),
        (-1, "1 second ago"),
        (-59, "59 seconds ago"),
        (-60, "1 minute ago"),
        (-7199, "1 hour ago"),
        (-86400 * 3, "3 days ago"),
        (1.5, "in 1 second"),
        (7200, "in 2 hours"),
    ],
)
def test_how_long_ago(offset: float, words: str) -> None:
    assert ago(NOW + timedelta(seconds=offset), NOW) == words


def test_a_moment_is_shown_in_utc() -> None:
    assert iso(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2025-12-31T23:00:00Z"


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (3_400_000, "3.4 MB"), (2_000_000_000, "2.0 GB")]
)
def test_how_large(count: int, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("spent", "words"), [(-1, "0.00 s"), (0.421, "0.42 s"), (59.9, "59.90 s"), (185, "3 min 5 s"), (7620, "2 h 7 min")]
)
def test_how_long_it_took(spent: float, words: str) -> None:
    assert seconds(NOW, NOW + timedelta(seconds=spent)) == words


def test_json_is_shown_as_it_reads() -> None:
    assert pretty({"city": "Zürich"}) == '{\n  "city": "Zürich"\n}'
