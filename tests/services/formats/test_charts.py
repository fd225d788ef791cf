"""Charts are drawn for every kind of x, always the same, and never read what people wrote as markup."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from PIL import Image

from tests.services.formats.sample import ODD
from webapi.services.formats import Chart
from webapi.services.formats.cells import encodable
from webapi.services.formats.charts import png, svg
from webapi.services.formats.locales import Language
from webapi.services.formats.points import collector

SVG = "{http://www.w3.org/2000/svg}"
EN = Language("en")


def drawn(chart: Chart, x: list[Any], *y: list[Any], language: Language = EN, text: bool = True) -> str:
    points = collector(chart)
    points.add(x, list(y))
    return svg(chart, points.points(), language, ink="currentColor", text=text)


def words(picture: str) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", ["bar", "line", "area", "pie"])
@pytest.mark.parametrize(
    "x",
    [
        ["a", "b", None],
        [1, 2.5, Decimal(4)],
        [True, False, None],
        [date(2026, 1, day) for day in (3, 1, 2)],
        [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(3)],
        [date(1, 1, 1), date(9999, 12, 31), date(2026, 1, 1)],
        [None, None, None],
    ],
)
@pytest.mark.parametrize("y", [[0.5, None, Decimal("1e20")], [7, 7, 7]])
def test_every_kind_draws_every_x(kind: Literal["bar"], x: list[Any], y: list[Any]) -> None:
    picture = drawn(Chart(kind, "when", ("much",)), x, y)
    assert len(ElementTree.fromstring(picture).findall(f".//{SVG}path")) > 2
    assert 'aria-label="much, when"' in picture


@pytest.mark.parametrize("kind", ["bar", "line", "area"])
def test_several_series_with_negative_values_are_told_apart(kind: Literal["bar"]) -> None:
    picture = drawn(Chart(kind, "x", ("_a", "b $x$")), ["one", "two"], [-5, 3], [2, None])
    assert {"_a", "b $x$", "one", "two", "-4", "2"} <= set(words(picture))


@pytest.mark.parametrize("text", [True, False])
def test_the_same_points_are_the_same_bytes(text: bool) -> None:
    pictures = {drawn(Chart("line", "x", ("y",)), list(range(400)), list(range(400)), text=text) for _ in range(2)}
    assert len(pictures) == 1
    assert "currentColor" in pictures.pop()


def test_a_chart_speaks_the_readers_language() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(300)]
    found = words(
        drawn(Chart("line", "Tag", ("Wert",)), days, list(range(0, 3_000_000, 10_000)), language=Language("de"))
    )
    assert {"01.03.2026", "1.000.000", "Tag", "Wert"} <= set(found)


def test_a_pie_tells_the_shares_and_the_others() -> None:
    found = words(
        drawn(Chart("pie", "x", ("y",)), [f"s{n}" for n in range(13)], [88] + [1] * 12, language=Language("fr"))
    )
    assert {"s0 – 88,0 %", "Autres – 2,0 %"} <= set(found)


@settings(deadline=None, max_examples=20)
@given(ODD)
def test_any_text_is_drawn_as_text(text: str) -> None:
    text = encodable(text)  # as `write` hands it on
    for kind in ("bar", "pie"):
        picture = drawn(Chart(kind, text or "x", (text or "y",)), [text, "$\\frac{1}$"], [1, 2])
        assert any("$\\frac{1}$" in word for word in words(picture))


def test_a_picture_for_mail_is_a_png_of_its_points() -> None:
    chart = Chart("bar", "x", ("y",))
    points = collector(chart)
    points.add(["a", "b"], [[1, 2]])
    first, again = (png(chart, points.points(), EN) for _ in range(2))
    with Image.open(BytesIO(first)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1280, 576))
    assert first == again
