"""A native chart on a sheet of its own, with its points beside it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from webapi.services.formats.cells import cut, visible
from webapi.services.formats.charts import COLOURS, PALE
from webapi.services.formats.locales import Language
from webapi.services.formats.points import OTHER, Points, drawable
from webapi.services.formats.table import Heading, plain

TOP = 2  # the first row of the points, under the sentence


def chart_sheet(book: Any, heading: Heading, points: Points) -> None:
    """The sentence about the points, the points, and the chart of them; no chart where there are none."""
    assert heading.chart is not None
    chart, sheet, language = heading.chart, book.add_worksheet("Chart"), Language("en")
    if points.note:
        sheet.write_string(0, 0, language.say(points.note, rows=points.rows, stride=points.stride))
    if points.empty:
        return
    for number, name in enumerate((chart.x, *chart.y)):
        sheet.write_string(TOP, number, cut(visible(name), 255), book.add_format({"bold": True}))
    formats = {kind: book.add_format({"num_format": kind}) for kind in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm")}
    for row, x in enumerate(points.x, TOP + 1):
        _x(sheet, row, x, formats, language)
        for number, series in enumerate(points.y, 1):
            value = series[row - TOP - 1]
            if value is not None:
                sheet.write_number(row, number, value)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, len(chart.y), 14)
    sheet.insert_chart(TOP, len(chart.y) + 2, _native(book, heading, points, sheet.get_name()))


def _x(sheet: Any, row: int, x: Any, formats: dict[str, Any], language: Language) -> None:
    if isinstance(x, date) and x.year >= 1901:
        moment = isinstance(x, datetime)
        kind = "yyyy-mm-dd hh:mm" if moment else "yyyy-mm-dd"
        sheet.write_datetime(row, 0, plain(x) if isinstance(x, datetime) else x, formats[kind])
    elif not isinstance(x, bool) and (number := drawable(x)) is not None:
        sheet.write_number(row, 0, number)
    else:
        text = language.say("other") if x is OTHER else language.text(x, "–")
        sheet.write_string(row, 0, cut(text, 255))


def _native(book: Any, heading: Heading, points: Points, sheet: str) -> Any:
    assert heading.chart is not None
    kind, last = heading.chart.kind, TOP + len(points.x)
    drawn = book.add_chart({"type": "column" if kind == "bar" else kind})
    for number in range(1, len(points.y) + 1):
        colour = (COLOURS + PALE)[(number - 1) % 12]
        series: dict[str, Any] = {
            "name": [sheet, TOP, number],
            "categories": [sheet, TOP + 1, 0, last, 0],
            "values": [sheet, TOP + 1, number, last, number],
        }
        if kind == "pie":
            series["points"] = [{"fill": {"color": each}} for each in (COLOURS + PALE)[: len(points.x)]]
            series["data_labels"] = {"percentage": True}
        elif kind == "line":
            series["line"] = {"color": colour, "width": 1.75}
        else:
            series["fill"] = {"color": colour, "transparency": 0 if kind == "bar" else 50}
        drawn.add_series(series)
    if kind != "pie":
        axis: dict[str, Any] = {"name": visible(heading.chart.x)[:255], "label_position": "low"}
        if points.x and all(isinstance(x, date) and x.year >= 1901 for x in points.x) and kind != "bar":
            moment = any(isinstance(x, datetime) for x in points.x)
            axis |= {"date_axis": not moment, "num_format": "yyyy-mm-dd hh:mm" if moment else "yyyy-mm-dd"}
        drawn.set_x_axis(axis)
    drawn.set_title({"name": visible(heading.title)[:255], "overlay": False})
    drawn.show_na_as_empty_cell()
    drawn.set_size({"width": 900, "height": 460})
    return drawn
