"""HTML: one file that needs no other, for the screen and for paper, by day and by night."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path
from typing import TextIO

from webapi.services.formats.batches import Batches
from webapi.services.formats.cells import visible
from webapi.services.formats.charts import svg
from webapi.services.formats.locales import Language
from webapi.services.formats.proof import lines
from webapi.services.formats.table import NUMERIC, Heading, Type, Written
from webapi.services.formats.ticking import while_ticking

BLOCK = 1 << 20  # characters
STYLE = """
:root{color-scheme:light dark;--line:#d5d9e0;--soft:#f2f4f7;--page:#fff;--ink:#1a1d23;--faint:#5b6270}
@media(prefers-color-scheme:dark){:root{--line:#3a404b;--soft:#22262e;--page:#16191f;--ink:#e6e8ec;--faint:#a0a7b4}}
body{margin:2rem;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .75rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0 0 1.25rem}
.cut{border-left:.25rem solid #b3261e;padding:.25rem .75rem;font-weight:600;overflow-wrap:anywhere}
footer{margin-top:2rem}h2{font-size:1rem;margin:0 0 .5rem}
dt,figcaption{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
figure{margin:0 0 1.25rem;max-width:60rem}figure svg{width:100%;height:auto}svg text{font-family:inherit!important}
table{border-collapse:collapse;font-size:.875rem}
th,td{padding:.3rem .7rem;text-align:start;vertical-align:top;border-bottom:1px solid var(--line)}
td{max-width:30rem;white-space:nowrap}.t{min-width:8rem;overflow-wrap:anywhere;white-space:pre-line}
th{position:sticky;top:0;background:var(--soft);white-space:nowrap}
.n{text-align:end;font-variant-numeric:tabular-nums}
tbody tr:hover{background:var(--soft)}
@media print{body{margin:0;font-size:9pt}th{position:static}thead{display:table-header-group}}
"""
CELLS: dict[Type, str] = {
    "text": '<td class="t">%s</td>',
    "integer": '<td class="n">%s</td>',
    "number": '<td class="n">%s</td>',
}


def write_html(path: Path, heading: Heading, batches: Batches) -> Written:
    """The chart stands above the table and is known only after it, so that the rows wait in a scratch file."""
    language = Language(heading.locale)
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=path.parent) as scratch:
        _rows(scratch, batches, language)
        written = batches.written()
        chart = while_ticking(lambda: _chart(heading, batches, language), batches.tick)
        scratch.seek(0)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            _top(file, heading, batches, language, chart)
            while block := scratch.read(BLOCK):
                file.write(block)
                batches.tick()
            file.write("</tbody></table>\n")
            if not batches.rows:
                file.write(f"<p>{language.say('no_rows')}</p>\n")
            _bottom(file, lines(heading, written, language), language)
    return written


def _rows(file: TextIO, batches: Batches, language: Language) -> None:
    template = "<tr>" + "".join(CELLS.get(column.type, "<td>%s</td>") for column in batches.columns) + "</tr>\n"
    for batch in batches:
        texts = (language.texts(column, values) for column, values in zip(batches.columns, batch, strict=True))
        escaped = ([html.escape(text) for text in each] for each in texts)
        file.writelines([template % row for row in zip(*escaped, strict=True)])


def _top(file: TextIO, heading: Heading, batches: Batches, language: Language, chart: str) -> None:
    title = _shown(heading.title)
    file.write(
        f'<!doctype html>\n<html lang="{language.tag}"><head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style></head>\n<body><main><h1>{title}</h1>\n<dl>"
    )
    about = {
        language.say("as_of"): language.moment(heading.as_of),
        language.say("rows"): language.number(batches.rows),
    }
    facts = [*heading.parameters.items(), *about.items()]
    file.write(_listed(facts) + "</dl>\n")
    if batches.incomplete:
        file.write(f'<p class="cut">{language.say("incomplete")}: {_shown(batches.incomplete)}</p>\n')
    file.write(chart + "<table><thead><tr>")
    for column in batches.columns:
        kind = ' class="n"' if column.type in NUMERIC else ""
        file.write(f'<th scope="col"{kind}>{_shown(column.name)}</th>')
    file.write("</tr></thead><tbody>\n")


def _chart(heading: Heading, batches: Batches, language: Language) -> str:
    if not (batches.points and heading.chart):
        return ""
    points = batches.points.points()
    drawn = "" if points.empty else svg(heading.chart, points, language, ink="currentColor", text=True)
    note = language.say(points.note, rows=points.rows, stride=points.stride) if points.note else ""
    return f"<figure>{drawn}<figcaption>{note}</figcaption></figure>\n"


def _bottom(file: TextIO, manifest: list[tuple[str, str]], language: Language) -> None:
    file.write(f"</main>\n<footer><h2>{language.say('manifest')}</h2>\n<dl>{_listed(manifest)}</dl></footer>\n")
    file.write("</body></html>\n")


def _listed(facts: list[tuple[str, str]]) -> str:
    return "".join([f"<dt>{_shown(name)}</dt><dd>{_shown(value)}</dd>" for name, value in facts])


def _shown(text: str) -> str:
    return html.escape(visible(text))
