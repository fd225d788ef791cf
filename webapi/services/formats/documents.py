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
from webapi.services.formats.layout import BOLD, INSET, MARGIN, broken, lay_out, on_one_line
from webapi.services.formats.locales import Language
from webapi.services.formats.proof import lines
from webapi.services.formats.table import NUMERIC, Heading, Row, Written
from webapi.services.formats.ticking import while_ticking
from webapi.services.formats.typesetting import typeset

MOST_ROWS = 10_000
MOST_CELLS = 200_000
LONGEST = 4000  # characters of a cell
TEMPLATE = Path(__file__).parents[2] / "templates" / "formats" / "report.typ"


class Room:
    """Whether a PDF has room for one more row, which is a question of the memory that setting it takes.

    Ten characters take about as much as a cell.
    """

    def __init__(self) -> None:
        self._rows, self._cells = 0, 0.0

    def __call__(self, row: Row) -> bool:
        texts = sum(min(len(value), LONGEST) if isinstance(value, str) else 10 for value in row)
        self._rows, self._cells = self._rows + 1, self._cells + len(row) + texts / 10
        return self._rows <= MOST_ROWS and self._cells <= MOST_CELLS


def write_pdf(path: Path, heading: Heading, batches: Batches) -> Written:
    """The title, what the rows are of, the chart, the table and the manifest; the first rows, up to 10,000.

    Everything that people wrote reaches Typst as data and never as its markup. The document is PDF/UA-1, except
    where a letter is in no font here: that shows as a box, which the standard forbids.
    """
    language = Language(heading.locale)
    columns: list[list[str]] = [[] for _ in batches.columns]
    cuts = 0
    for batch in batches:
        for column, texts, values in zip(batches.columns, columns, batch, strict=True):
            shown = [text.replace("\t", "    ") for text in language.texts(column, values)]
            short = [cut(text, LONGEST) for text in shown]
            cuts += sum(one != other for one, other in zip(short, shown, strict=True))
            texts.extend(short)
    reasons = [f"truncated at {batches.rows:,} rows because a PDF holds no more"] if batches.more else []
    reasons += [f"{cuts:,} texts truncated at {LONGEST:,} characters because a page holds no more"] if cuts else []
    written = batches.written(*reasons)
    said = [language.say("truncated", most=batches.rows)] if batches.more else []
    said += [language.say("cut", most=LONGEST, count=cuts)] if cuts else []
    said += [f"{language.say('incomplete')}: {batches.incomplete}"] if batches.incomplete else []
    with tempfile.TemporaryDirectory(prefix="pdf-", dir=path.parent) as scratch:
        folder = Path(scratch)
        data = _about(heading, written, language, said)
        data |= while_ticking(lambda: _table(batches, columns), batches.tick)
        data |= while_ticking(lambda: _chart(folder, heading, batches, language), batches.tick)
        (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        (folder / "report.typ").write_bytes(TEMPLATE.read_bytes())
        as_of = heading.as_of if heading.as_of.tzinfo else heading.as_of.replace(tzinfo=UTC)
        typeset(folder, max(0, int(as_of.timestamp())), batches.tick).replace(path)
    return written


def _table(batches: Batches, columns: list[list[str]]) -> dict[str, Any]:
    heads = [visible(column.name) for column in batches.columns]
    layout = lay_out(heads, columns, [column.type != "text" for column in batches.columns])
    ems = [(width - 2 * INSET) / layout.size for width in layout.columns]
    low = [[on_one_line(text, room) for text in texts] for texts, room in zip(columns, ems, strict=True)]
    cells = [[broken(text, room) for text in texts] for texts, room in zip(columns, ems, strict=True)]
    return {
        "paper": [layout.width, layout.height, MARGIN, INSET, layout.size],
        "widths": layout.columns,
        "right": [column.type in NUMERIC for column in batches.columns],
        "heads": [broken(head, room / BOLD) for head, room in zip(heads, ems, strict=True)],
        "low": [all(row) for row in zip(*low, strict=True)],
        "rows": list(zip(*cells, strict=True)),
    }


def _about(heading: Heading, written: Written, language: Language, said: list[str]) -> dict[str, Any]:
    top = [
        *heading.parameters.items(),
        (language.say("as_of"), language.moment(heading.as_of)),
        (language.say("rows"), language.number(written.rows)),
    ]
    manifest = lines(heading, written, language)
    return {
        "title": broken(visible(heading.title), 20),
        "name": visible(heading.title) or "–",
        "description": "; ".join(f"{visible(name)}: {visible(value)}" for name, value in manifest),
        "facts": [_broken(*pair) for pair in top],
        "said": said,
        "lang": language.language,
        "page": language.page,
        "empty": language.say("no_rows"),
        "proof": language.say("manifest"),
        "manifest": [_broken(*pair) for pair in manifest],
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


def _broken(name: str, value: str) -> tuple[str, str]:
    return broken(visible(name), 12), broken(visible(value), 35)
