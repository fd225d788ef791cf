"""Awkward files, each made from the description of a real one, with its right answer or its sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import duckdb
from openpyxl import Workbook

from tests.services.tables import workbook

Pairs = list[list[str]]


@dataclass(frozen=True)
class Case:
    """What is handed in as `file_name`, and what must come of it: columns, rows and the first of them, or a problem."""

    title: str
    file_name: str
    content: Callable[[], bytes]
    columns: Pairs = field(default_factory=list)
    rows: int | None = None
    first: list[list[Any]] = field(default_factory=list)
    read_as: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None


def text(content: str, encoding: str = "utf-8") -> Callable[[], bytes]:
    return lambda: content.encode(encoding)


def parquet(sql: str) -> Callable[[], bytes]:
    def make() -> bytes:
        with TemporaryDirectory() as folder, duckdb.connect() as database:
            path = Path(folder, "made.parquet")
            database.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            return path.read_bytes()

    return make


def merged() -> bytes:
    """As people make them: a title over all columns, an empty row, a group that is merged downwards, real dates."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "March"
    sheet.append(["Sales of March"])
    sheet.merge_cells("A1:D1")
    sheet.append([])
    sheet.append(["region", "day", "sold", "paid"])
    sheet.append(["North", date(2026, 3, 1), 12, True])
    sheet.append([None, datetime.combine(date(2026, 3, 2), time()), 7.5, False])
    sheet.append(["South", date(2026, 3, 3), -3, True])
    sheet.merge_cells("A4:A5")
    book.create_sheet("April").append(["nothing of this"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def bomb() -> bytes:
    """A sheet of 2 GB zeros that packs to 2 MB."""
    written = io.BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        for name, content in workbook.parts().items():
            if name != workbook.SHEET:
                archive.writestr(name, content)
        with archive.open(workbook.SHEET, "w", force_zip64=True) as part:
            for _ in range(2048):
                part.write(bytes(1 << 20))
    return written.getvalue()


def liar() -> bytes:
    """A workbook whose directory says that a sheet of 20 MB has 1 KB."""
    written = io.BytesIO()
    row = '<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        for name, content in workbook.parts(sheet=workbook.sheet(row * 400_000)).items():
            archive.writestr(name, content)
        archive.getinfo(workbook.SHEET).file_size = 1024
    return written.getvalue()


def wide() -> bytes:
    names = ",".join(f"q{number}" for number in range(300))
    lines = (",".join(str(row * 300 + column) for column in range(300)) for row in range(2))
    return "\n".join([names, *lines, ""]).encode()


def late() -> bytes:
    """A hundred thousand whole numbers, and then what somebody typed."""
    return ("id,amount\n" + "".join(f"{number},{number}\n" for number in range(100_000)) + "100000,n/a\n").encode()


NESTED = json.dumps([{"id": 1, "who": {"name": "Ada", "tags": ["a", "b"]}}, {"id": 2, "who": None}])

CASES = [
    Case(
        "a BOM, semicolons and decimal commas, as a German Excel writes them",
        "Umsätze.csv",
        text("\ufeffArtikel;Preis;Tag\r\nSchraube;1.234,50;31.12.2025\r\nMutter;-0,75;01.02.2026\r\n"),
        [["Artikel", "text"], ["Preis", "text"], ["Tag", "date"]],
        2,
        [["Schraube", "1.234,50", "2025-12-31"], ["Mutter", "-0,75", "2026-02-01"]],
        {"delimiter": ";", "encoding": "utf-8-sig", "date_format": "%d.%m.%Y"},
    ),
    Case(
        "semicolons and decimal commas",
        "preise.csv",
        text("Artikel;Preis\nSchraube;1234,50\nMutter;-0,75\n"),
        [["Artikel", "text"], ["Preis", "number"]],
        2,
        [["Schraube", 1234.5], ["Mutter", -0.75]],
        {"delimiter": ";", "decimal": ","},
    ),
    Case(
        "Latin-1",
        "communes.csv",
        text("code,commune\n01004,Ambérieu\n2A004,Ajaccio\n75056,Nîmes\n", "latin-1"),
        [["code", "text"], ["commune", "text"]],
        3,
        [["01004", "Ambérieu"], ["2A004", "Ajaccio"], ["75056", "Nîmes"]],
        {"encoding": "latin-1"},
    ),
    Case(
        "Windows-1252 with its own quotes and its euro",
        "orders.txt",
        text("id\tsaid\n1\t“five €” – he’s sure\n", "cp1252"),
        [["id", "integer"], ["said", "text"]],
        1,
        [[1, "“five €” – he’s sure"]],
        {"encoding": "windows-1252", "delimiter": "\t"},
    ),
    Case(
        "UTF-16 with tabs, which Excel calls Unicode text",
        "export.txt",
        text("город\tчисло\nМосква\t1\nОмск\t2\n", "utf-16"),
        [["город", "text"], ["число", "integer"]],
        2,
        [["Москва", 1], ["Омск", 2]],
        {"encoding": "utf-16", "delimiter": "\t"},
    ),
    Case(
        "line breaks, quotes and separators inside of quotes",
        "comments.csv",
        text('id,comment\r\n1,"first line\r\nsecond, with ""quotes"""\r\n2,\r\n3,"x"\r\n'),
        [["id", "integer"], ["comment", "text"]],
        3,
        [[1, 'first line\r\nsecond, with "quotes"'], [2, None], [3, "x"]],
    ),
    Case(
        "a row that is too short",
        "ragged.csv",
        text("a,b,c\n1,2,3\n4,5\n6,7,8\n"),
        problem="The file has 2 cells in line 3 and 3 in its first.",
    ),
    Case(
        "300 columns",
        "survey.csv",
        wide,
        [[f"q{number}", "integer"] for number in range(300)],
        2,
        [list(range(300)), list(range(300, 600))],
    ),
    Case(
        "dates in three styles in one column: kept as they are written",
        "dates.csv",
        text("id,day\n1,2026-03-01\n2,01/03/2026\n3,1 March 2026\n"),
        [["id", "integer"], ["day", "text"]],
        3,
        [[1, "2026-03-01"], [2, "01/03/2026"], [3, "1 March 2026"]],
    ),
    Case("nothing but line breaks", "blank.csv", text("\r\n\r\n"), problem="The file is empty."),
    Case(
        "a header and no row",
        "new.csv",
        text("id,name,amount\n"),
        [["id", "text"], ["name", "text"], ["amount", "text"]],
        0,
    ),
    Case(
        "columns of the same name",
        "join.csv",
        text("id,name,name,Name\n1,a,b,c\n"),
        [["id", "integer"], ["name", "text"], ["name_1", "text"], ["Name_2", "text"]],
        1,
        [[1, "a", "b", "c"]],
    ),
    Case(
        "numbers that are names: leading zeros, telephone numbers, twenty digits",
        "people.csv",
        text("zip,phone,account\n00712,+49301234567,12345678901234567890\n10115,+4930765,12345678901234567891\n"),
        [["zip", "text"], ["phone", "text"], ["account", "number"]],
        2,
        [["00712", "+49301234567", "12345678901234567890"], ["10115", "+4930765", "12345678901234567891"]],
    ),
    Case(
        "a word a hundred thousand rows below numbers",
        "late.csv",
        late,
        [["id", "integer"], ["amount", "text"]],
        100_001,
        [[0, "0"]],
    ),
    Case(
        "JSON with objects in objects",
        "people.json",
        text(NESTED),
        [["id", "integer"], ["who", "text"]],
        2,
        [[1, '{"name":"Ada","tags":["a","b"]}'], [2, None]],
    ),
    Case(
        "NDJSON whose objects differ",
        "events.jsonl",
        text('{"id": 1, "at": "2026-03-01T10:00:00Z"}\n{"id": 2, "size": 2.5}\n\n{}\n'),
        [["id", "integer"], ["at", "datetime"], ["size", "number"]],
        3,
        [[1, "2026-03-01 10:00:00+00", None], [2, None, 2.5], [None, None, None]],
    ),
    Case(
        "NDJSON with a broken line",
        "log.ndjson",
        text('{"a": 1}\n{"a": 2}\n{"a": \n{"a": 4}\n'),
        problem="The file holds no JSON in line 3.",
    ),
    Case(
        "a workbook with a title, merged cells and dates",
        "march.xlsx",
        merged,
        [["region", "text"], ["day", "date"], ["sold", "number"], ["paid", "boolean"]],
        3,
        [["North", "2026-03-01", 12.0, True], [None, "2026-03-02", 7.5, False], ["South", "2026-03-03", -3.0, True]],
        notes=["Only the first sheet, 'March', is read.", "1 row above the table is left out."],
    ),
    Case(
        "a workbook that unpacks to 2 GB",
        "bomb.xlsx",
        bomb,
        problem="The workbook unpacks to more than 500 MB. Split it.",
    ),
    Case(
        "a workbook that declares its sheet as 1 KB",
        "liar.xlsx",
        liar,
        problem="Row 1: The workbook is damaged here: this row and those after it were not read.",
    ),
    Case(
        "a Parquet file of a few KB with 2 GB in it",
        "bomb.parquet",
        parquet("SELECT repeat('x', 20_000_000) AS a FROM range(100)"),
        problem="Reading the file needs more than the 512 MB of memory that it may use.",
    ),
    Case(
        "a CSV called .xlsx",
        "really.xlsx",
        text("a,b\n1,x\n"),
        [["a", "integer"], ["b", "text"]],
        1,
        [[1, "x"]],
    ),
    Case(
        "Parquet, torn off",
        "torn.parquet",
        lambda: parquet("SELECT range AS a FROM range(1000)")()[:-100],
        problem="The file could not be read: ",
    ),
]
