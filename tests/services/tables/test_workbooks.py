"""Workbooks as programs write them, and as attackers do."""

from __future__ import annotations

import random
import tracemalloc
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from tests.services.tables.workbook import HEAD, MAIN, ROW, SHEET, pack, parts, sheet, strings
from webapi.errors import Invalid
from webapi.services.tables.workbooks import Record, open_workbook


def read(path: Path) -> tuple[tuple[str, ...], list[Record]]:
    with open_workbook(path) as (notes, records):
        return notes, list(records)


def refused(path: Path) -> str:
    """What is said of a workbook, on opening or in the row that ends it."""
    try:
        _, records = read(path)
    except Invalid as error:
        return error.message
    return records[-1][2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def test_what_a_spreadsheet_program_writes_is_read_as_text(path: Path) -> None:
    book = openpyxl.Workbook()
    day = datetime(2026, 11, 21, 14, 30)  # noqa: DTZ001 - Excel knows no zones
    rows = [["a", "b"], [5, 12.5, True, "=1/0"], [date(2026, 11, 21), day, time(9, 5)], ["#N/A", None, " x "]]
    for row in rows:
        book.active.append(row)
    book.active["B7"] = "late"
    book.save(path)
    unstored = "Cell D2 is a formula without a stored value: open the file in a spreadsheet program and save it."
    assert read(path) == (
        (),
        [
            (1, ["a", "b"], ""),
            (2, ["5", "12.5", "TRUE"], unstored),
            (3, ["2026-11-21", "2026-11-21 14:30", "09:05"], ""),
            (4, ["#N/A", "", " x "], ""),
            (7, ["", "late"], ""),
        ],
    )


def test_the_first_sheet_that_can_be_seen_is_read_and_named(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title, book.active.sheet_state = "Hidden", "hidden"
    book.create_chartsheet("Chart", 0)
    book.create_sheet("March").append(["email"])
    book.create_sheet("April")
    book.active = 2
    book.save(path)
    assert read(path) == (("Only the first sheet, 'March', is read.",), [(1, ["email"], "")])


def test_the_calendar_of_1904_is_known(path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - Excel knows no zones
    book.active.append([date(2026, 11, 21)])
    book.save(path)
    assert read(path)[1] == [(1, ["2026-11-21"], "")]


def test_a_workbook_by_hand_is_read(path: Path) -> None:
    assert read(pack(path, parts())) == ((), [(1, ["email"], ""), (2, ["a@x.de"], "")])


def test_shared_texts_are_found_with_their_fonts(path: Path) -> None:
    texts = strings("<si><t>email</t></si><si><r><t>a@</t></r><r><t>x.de</t></r></si>")
    rows = "".join(f'<row r="{n + 1}"><c t="s"><v>{n}</v></c></row>' for n in (0, 1))
    assert read(pack(path, parts(sheet=sheet(rows), strings=texts)))[1] == [(1, ["email"], ""), (2, ["a@x.de"], "")]


def test_a_workbook_in_strict_open_xml_is_told_what_to_do(path: Path) -> None:
    strict = sheet(HEAD + ROW).replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main")
    assert "Strict Open XML. Save it as plain .xlsx" in refused(pack(path, parts(sheet=strict)))


def test_a_row_far_down_does_not_fill_the_gap(path: Path) -> None:
    far = sheet(HEAD + ROW.replace('"2"', '"1000000000"'))
    assert read(pack(path, parts(sheet=far)))[1][1:] == [(1_000_000_000, ["a@x.de"], "")]


@pytest.mark.soak
def test_more_rows_than_a_sheet_can_have_end_the_reading(path: Path) -> None:
    assert "more than 1,048,576 rows" in refused(pack(path, parts(sheet=sheet(HEAD + "<row/>" * 1_048_576)), method=0))


def test_a_cell_that_cannot_be_read_spoils_its_row_alone(path: Path) -> None:
    bad = '<row r="2"><c r="A2" t="s"><v>9</v></c><c r="B2"><v>1</v></c></row>'
    _, records = read(pack(path, parts(sheet=sheet(HEAD + bad + ROW.replace('"2"', '"3"')))))
    assert records[1:] == [(2, ["", "1"], "Cell A2 cannot be read."), (3, ["a@x.de"], "")]


EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "' + "ha" * 99 + '"><!ENTITY e "' + "&a;" * 99 + '">]>'


@pytest.mark.parametrize("part", ["sheet", "strings", "styles"])
@pytest.mark.parametrize("entities", [EXTERNAL, LAUGHS, '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'])
def test_a_part_with_a_dtd_is_refused(path: Path, part: str, entities: str) -> None:
    text = {
        "sheet": sheet(HEAD + ROW.replace("a@x.de", "&e;"), entities),
        "strings": entities + strings("<si><t>&e;</t></si>"),
        "styles": f'{entities}<styleSheet xmlns="{MAIN}"/>',
    }[part]
    assert "entities of its own" in refused(pack(path, parts(**{part: text})))


def test_a_workbook_cut_off_anywhere_ends_with_a_sentence(path: Path, tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c><v>{n * 7919}</v></c></row>' for n in range(2, 500))
    whole = pack(tmp_path / "whole", parts(sheet=sheet(HEAD + rows))).read_bytes()
    for size in range(1, len(whole), 37):
        path.write_bytes(whole[:size])
        assert "." in refused(path)


def test_a_workbook_with_a_flipped_bit_is_never_read_as_another(path: Path, tmp_path: Path) -> None:
    rows = "".join(f'<row r="{n}"><c><v>{n * 7919}</v></c></row>' for n in range(2, 500))
    whole = bytearray(pack(tmp_path / "whole", parts(sheet=sheet(HEAD + rows))).read_bytes())
    path.write_bytes(whole)
    right, chance = read(path)[1], random.Random(7)
    for _ in range(300):
        where, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
        whole[where] ^= bit
        path.write_bytes(whole)
        if not refused(path):
            assert read(path)[1] == right
        whole[where] ^= bit


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("sheet", sheet(HEAD + '<row r="2">' + "<c/>" * 900_000 + "</row>")),
        ("sheet", sheet(HEAD + '<row r="2"><c><v>' + "5" * 9_000_000 + "</v></c></row>")),
        ("sheet", sheet(HEAD + "<x/>" * 900_000)),
        ("sheet", sheet(HEAD + "<x>" * 9_000)),
        ("sheet", sheet("<c " + " ".join(f'a{n}=""' for n in range(300_000)) + "/>")),
        ("sheet", sheet("<!--" + "x" * 9_000_000 + "-->")),
        ("sheet", sheet(HEAD + '<a:row xmlns:a="a"/>' * 400_000)),
        ("strings", strings("<si><t>" + "x" * 9_000_000 + "</t></si>")),
        ("strings", strings("<si>" + "<r/>" * 900_000 + "</si>")),
        ("strings", strings(("<si><t>😀" + "x" * 9_999 + "</t></si>") * 2_600)),
        ("styles", f'<styleSheet xmlns="{MAIN}"><cellXfs>' + "<xf/>" * 900_000 + "</cellXfs></styleSheet>"),
    ],
    ids=["cells", "value", "elements", "depth", "attributes", "comment", "foreign", "text", "runs", "texts", "styles"],
)
def test_a_part_that_would_fill_the_memory_is_refused(path: Path, part: str, text: str) -> None:
    made = parts(**{part: text})
    pack(path, made, method=0)  # stored: the ratio of a packed one would give it away at once
    tracemalloc.start()
    try:
        said = refused(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "too" in said or "foreign" in said
    assert peak < 130_000_000


@pytest.mark.parametrize("missing", ["[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET])
def test_a_package_that_is_no_workbook_is_refused(path: Path, missing: str) -> None:
    made = parts()
    del made[missing]
    assert "cannot be read as an XLSX workbook" in refused(pack(path, made))
