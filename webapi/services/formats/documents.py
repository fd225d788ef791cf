"""PDF, by Typst: for readers and for screen readers, with all the columns, and not more rows than somebody reads."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Any

from webapi.services.formats.batches import Batches
from webapi.services.formats.cells import cut, visible
from webapi.services.formats.charts import names, svg
from webapi.services.formats.layout import INSET, MARGIN, broken, lay_out
from webapi.services.formats.locales import Language
from webapi.services.formats.table import NUMERIC, Heading, Written

MOST_ROWS = 10_000
LONGEST = 4000  # characters of a cell
TEMPLATE = Path(__file__).parents[2] / "templates" / "formats" / "report.typ"


def write_pdf(path: Path, heading: Heading, batches: Batches) -> Written:
    """The title, what the rows are of, the chart, and the table; the first 10,000 rows.

    Everything that people wrote reaches Typst as data and never as its markup. The document is PDF/UA-1, except
    where a letter is in no font here: that shows as a box, which the standard forbids.
    """
    language = Language(heading.locale)
    columns: list[list[str]] = [[] for _ in batches.columns]
    cuts = 0
    for batch in batches:
        for column, texts, values in zip(batches.columns, columns, batch, strict=True):
            shown = language.texts(column, values)
            short = [cut(text, LONGEST) for text in shown]
            cuts += sum(one != other for one, other in zip(short, shown, strict=True))
            texts.extend(short)
    said = [language.say("truncated", most=MOST_ROWS)] if batches.more else []
    said += [language.say("cut", most=LONGEST, count=cuts)] if cuts else []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = _data(heading, batches, language, columns)
        data |= {"said": said} | _chart(folder, heading, batches, language)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        (folder / "report.typ").write_bytes(TEMPLATE.read_bytes())
        _compile(folder, path, heading)
    reasons = [f"truncated at {MOST_ROWS:,} rows because a PDF holds no more"] if batches.more else []
    reasons += [f"{cuts:,} texts truncated at {LONGEST:,} characters because a page holds no more"] if cuts else []
    return batches.written(*reasons)


def _data(heading: Heading, batches: Batches, language: Language, columns: list[list[str]]) -> dict[str, Any]:
    heads = [_shown(column.name) for column in batches.columns]
    layout = lay_out(heads, columns, [column.type != "text" for column in batches.columns])
    ems = [(width - 2 * INSET) / layout.size for width in layout.columns]
    cells = [[broken(text, room) for text in texts] for texts, room in zip(columns, ems, strict=True)]
    about = {
        language.say("as_of"): language.moment(heading.as_of),
        language.say("rows"): language.number(batches.rows),
    }
    facts = [*heading.parameters.items(), *about.items()]
    return {
        "title": broken(_shown(heading.title), 20),
        "name": _shown(heading.title) or "–",
        "facts": [[broken(_shown(name), 10), broken(_shown(value), 35)] for name, value in facts],
        "lang": language.language,
        "page": language.page,
        "empty": language.say("no_rows"),
        "paper": [layout.width, layout.height, MARGIN, INSET, layout.size],
        "widths": layout.columns,
        "right": [column.type in NUMERIC for column in batches.columns],
        "heads": [broken(head, room) for head, room in zip(heads, ems, strict=True)],
        "rows": list(zip(*cells, strict=True)),
    }


def _chart(folder: Path, heading: Heading, batches: Batches, language: Language) -> dict[str, Any]:
    if not (batches.points and heading.chart):
        return {"chart": False, "note": "", "alt": ""}
    points = batches.points.points()
    if not points.empty:
        drawn = svg(heading.chart, points, language, ink="#1a1d23", text=False)
        (folder / "chart.svg").write_text(drawn, "utf-8")
    note = language.say(points.note, rows=points.rows, stride=points.stride) if points.note else ""
    return {"chart": not points.empty, "note": note, "alt": ", ".join(names(heading.chart))}


def _compile(folder: Path, path: Path, heading: Heading) -> None:
    import matplotlib
    import typst

    as_of = heading.as_of if heading.as_of.tzinfo else heading.as_of.replace(tzinfo=UTC)
    seconds = max(0, int(as_of.timestamp()))  # since 1970
    compiler = typst.Compiler(
        folder / "report.typ", root=folder, font_paths=[Path(matplotlib.get_data_path(), "fonts", "ttf")]
    )
    try:
        compiler.compile(output=path, format="pdf", pdf_standards="ua-1", timestamp=seconds)
    except typst.TypstError:
        compiler.compile(output=path, format="pdf", timestamp=seconds)


def _shown(text: str) -> str:
    return visible(text)
