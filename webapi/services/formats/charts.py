"""Charts as SVG, by matplotlib's Figure: no window, no global figure, the same bytes for the same points."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from webapi.services.formats.cells import visible
from webapi.services.formats.locales import Language
from webapi.services.formats.points import OTHER, Points, drawable
from webapi.services.formats.table import Chart, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by people who see colours differently, on white and on black: after Okabe and Ito.
COLOURS = ("#3a86c8", "#d9822b", "#2f9e77", "#b8609a", "#8a7fd6", "#b59b1f")
PALE = ("#8fbbe2", "#edb985", "#85cbb2", "#dba5c8", "#bdb6ea", "#dacb7d")
INK = "#010203"  # stands for the ink until the file is written
LABEL = 28  # most characters of a label
TICKS = 12
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - matplotlib counts days from it, in no zone
SETTINGS: dict[str, Any] = {
    "svg.hashsalt": "chart",
    "text.parse_math": False,  # a dollar is a dollar
    "axes.unicode_minus": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
}


def svg(chart: Chart, points: Points, language: Language, *, ink: str, text: bool) -> str:
    """The chart as an <svg> element in this ink on no ground; as text its letters need the reader's fonts."""
    out = StringIO()
    with _figure(chart, points, language, {"svg.fonttype": "none" if text else "path"}) as figure:
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    drawn = out.getvalue()
    drawn = re.sub(rf"(fill|stroke): {INK}", rf"\1: {ink}", drawn[drawn.index("<svg") :].strip())
    label = ", ".join(each.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") for each in names(chart))
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def png(chart: Chart, points: Points, language: Language) -> bytes:
    """The chart as a picture on white, 1,280 pixels wide, for mail programs that draw no SVG."""
    out = BytesIO()
    with _figure(chart, points, language, {}) as figure:
        figure.savefig(out, format="png", dpi=160, facecolor="white", metadata={"Software": None})
    return out.getvalue()


@contextmanager
def _figure(chart: Chart, points: Points, language: Language, settings: dict[str, Any]) -> Iterator[Figure]:
    import matplotlib
    from matplotlib.figure import Figure

    chosen: Any = SETTINGS | settings
    with matplotlib.rc_context(chosen), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font has not is a box, or the reader's font has it
        figure = Figure(figsize=(8, 3.6), layout="constrained")
        _draw(figure, chart, points, language)
        yield figure


def names(chart: Chart) -> list[str]:
    """The names of the series and of x, for who cannot see the chart."""
    return [visible(name) for name in (*chart.y, chart.x)]


def _draw(figure: Figure, chart: Chart, points: Points, language: Language) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes = figure.add_subplot()
    if chart.kind == "pie":
        return _pie(axes, points, language)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#808080", alpha=0.25)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: language.number(float(value))))
    axes.axhline(0, color=INK, linewidth=0.8)
    at = _positions(axes, chart, points, language)
    for number, values in enumerate(points.y):
        colour = (COLOURS + PALE)[number % 12]
        if chart.kind == "bar":
            width = 0.8 / len(points.y)
            shifted = [x - 0.4 + width * (number + 0.5) for x in at]
            axes.bar(shifted, [value or 0.0 for value in values], width, color=colour)
        else:
            _line(axes, chart, at, values, colour)
    axes.set_xlabel(_short(chart.x))
    if len(chart.y) == 1:
        axes.set_ylabel(_short(chart.y[0]))
    else:
        _legend(figure, chart)
    return None


def _line(axes: Axes, chart: Chart, at: list[float], values: Sequence[float | None], colour: str) -> None:
    order = sorted(range(len(at)), key=at.__getitem__)
    xs = [at[index] for index in order]
    ys = [float("nan") if values[index] is None else values[index] for index in order]
    axes.plot(xs, ys, color=colour, linewidth=1.6, marker="o" if len(xs) <= 40 else "", markersize=3.5)  # type: ignore[arg-type]
    if chart.kind == "area":
        axes.fill_between(xs, ys, 0, color=colour, alpha=0.3, linewidth=0)  # type: ignore[arg-type]


def _legend(figure: Figure, chart: Chart) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=(COLOURS + PALE)[number % 12]) for number in range(len(chart.y))]
    legend = figure.legend(handles, ["."] * len(handles), loc="outside upper left", ncols=4, frameon=False)
    for text, name in zip(legend.get_texts(), chart.y, strict=True):
        text.set_text(_short(name))  # afterwards: the legend leaves out a name that begins with an underscore


def _positions(axes: Axes, chart: Chart, points: Points, language: Language) -> list[float]:
    """Where each point stands: on a scale for numbers and dates of lines, otherwise side by side."""
    from matplotlib.dates import AutoDateLocator
    from matplotlib.ticker import FuncFormatter

    there = [x for x in points.x if x is not None]
    if chart.kind != "bar" and len(there) == len(points.x) and not any(isinstance(x, str | bool) for x in there):
        if all(isinstance(x, date) and 1000 < x.year < 9000 for x in there):
            days = [_days(x) for x in there]
            clock = max(days) - min(days) < 3 and any(day % 1 for day in days)

            def tick(value: float, _: Any) -> str:
                moment = EPOCH + timedelta(days=value)
                return language.date(moment.date()) + (f"\n{moment:%H:%M}" if clock else "")

            axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_formatter(FuncFormatter(tick))
            return days
        if all(drawable(x) is not None for x in there):
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: language.number(float(value))))
            return [float(x) for x in there]
    step = -(-len(points.x) // TICKS)
    shown = list(range(0, len(points.x), step))
    labels = [_short(language.text(points.x[index], "–")) for index in shown]
    slanted = sum(map(len, labels)) > 90
    axes.set_xticks(shown, labels, rotation=30 if slanted else 0, ha="right" if slanted else "center")
    return [float(index) for index in range(len(points.x))]


def _days(x: date) -> float:
    moment = plain(x) if isinstance(x, datetime) else datetime(x.year, x.month, x.day)  # noqa: DTZ001
    return (moment - EPOCH) / timedelta(days=1)


def _pie(axes: Axes, points: Points, language: Language) -> None:
    values = [value or 0.0 for value in points.y[0]]
    whole = sum(values)
    names = [language.say("other") if x is OTHER else language.text(x, "–") for x in points.x]
    shares = [
        f"{_short(name)} – {language.number(Decimal(f'{100 * value / whole:.1f}'))} %"
        for name, value in zip(names, values, strict=True)
    ]
    wedges, *_ = axes.pie(values, colors=COLOURS + PALE, startangle=90, counterclock=False)
    legend = axes.legend(wedges, ["."] * len(shares), loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    for text, share in zip(legend.get_texts(), shares, strict=True):
        text.set_text(share)


def _short(text: str) -> str:
    text = " ".join(visible(text).split())
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"
