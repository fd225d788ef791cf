"""Awkward files: the right answer, or a sentence that says what is wrong and where."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.services.queries.conftest import LIMITS, Make
from webapi.errors import Permanent
from webapi.services.queries.run import query
from webapi.services.queries.sources import Options, Source


@dataclass(frozen=True)
class Found:
    """All rows of a file, and how it was read: options that are handed in again, corrected, are obeyed."""

    columns: list[tuple[str, str]]
    rows: list[tuple[Any, ...]]
    options: Options


def found_in(source: Source, folder: Path) -> Found:
    with query("FROM data", {"data": source}, {}, limits=LIMITS, folder=folder) as result:
        return Found(result.columns, list(result.rows), result.options["data"])


@pytest.fixture
def look(folder: Path, make: Make) -> Any:
    def look(content: bytes | str, kind: str = "csv", **options: Any) -> Found:
        return found_in(make(content, kind, **options), folder)

    return look


@pytest.fixture
def sentence(look: Any) -> Any:
    def sentence(content: bytes | str, kind: str = "csv", **options: Any) -> str:
        with pytest.raises(Permanent) as caught:
            look(content, kind, **options)
        return caught.value.message

    return sentence


def test_a_mark_semicolons_and_decimal_commas_are_understood(look: Any) -> None:
    found = look("\ufeffid;preis;tag\r\n1;3,50;31.12.2025\r\n2;-4,75;01.02.2026\r\n")
    assert found.columns == [("id", "integer"), ("preis", "number"), ("tag", "date")]
    assert found.rows == [(1, 3.5, date(2025, 12, 31)), (2, -4.75, date(2026, 2, 1))]
    told = found.options
    assert (told.delimiter, told.decimal, told.encoding, told.header) == (";", ",", "utf-8-sig", True)
    assert told.date_format == "%d.%m.%Y"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("latin-1", "latin-1"),
        ("cp1252", "latin-1"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-8", "utf-8"),
    ],
)
def test_accents_arrive_from_each_encoding(look: Any, encoding: str, told: str) -> None:
    found = look("name;stadt\nZoë;Köln\nRené;Łódź\n".replace("Łódź", "Nîmes").encode(encoding))
    assert (found.rows, found.options.encoding) == ([("Zoë", "Köln"), ("René", "Nîmes")], told)


def test_windows_quotes_and_euros_arrive(look: Any) -> None:
    found = look("a;b\n“so”;5 €\n".encode("cp1252"))
    assert (found.rows, found.options.encoding) == ([("“so”", "5 €")], "windows-1252")


def test_a_person_can_correct_what_was_detected(look: Any) -> None:
    content = "a,b\n01/02/2026,1\n"
    assert look(content, date_format="%d/%m/%Y").rows == [(date(2026, 2, 1), 1)]
    assert look(content, date_format="%m/%d/%Y").rows == [(date(2026, 1, 2), 1)]
    assert look(content, header=False).rows == [("a", "b"), ("01/02/2026", "1")]
    assert look(content, delimiter=";").columns == [("a,b", "text")]
    assert look("Title\n\na,b\n1,2\n", skip=2).rows == [(1, 2)]
    assert look("'a,x';b\n", quote="'", delimiter=";", header=False).rows == [("a,x", "b")]
    assert look("é,b\n1,2\n".encode("cp850"), encoding="cp850").columns[0] == ("é", "integer")


def test_what_was_detected_is_used_again(folder: Path, make: Make) -> None:
    source = make("id;preis\n1;3,50\n")
    told = found_in(source, folder)
    assert found_in(replace(source, options=told.options), folder) == told
    source.path.write_text("id;preis\n1;3,50\n2;viel\n")
    with pytest.raises(Permanent, match=r'line 3.*"viel"'):
        found_in(replace(source, options=told.options), folder)


def test_quoted_newlines_belong_to_the_cell(look: Any) -> None:
    assert look('a,b\r\n1,"x\ny"\r\n2,"he said ""hi"""\r\n').rows == [(1, "x\ny"), (2, 'he said "hi"')]


def test_no_row_is_lost_silently(sentence: Any) -> None:
    assert sentence("a,b,c\n1,2,3\n4,5\n") == "data: the file has 2 cells in line 3 and 3 in its first."
    assert sentence("a,b,c\n1,2,3\n4,5,6,7\n") == "data: the file has 4 cells in line 3 and 3 in its first."
    late = "a,b\n" + "1,2\n" * 50_000 + "3\n"
    assert sentence(late) == "data: the file has 1 cells in line 50,002 and 2 in its first."
    assert sentence('a,b\n1,"x\n2,y\n') == (
        "data: the file has a quote too many or too few in the row that begins in line 2."
    )


def test_300_columns_are_columns(look: Any) -> None:
    found = look(",".join(f"c{i}" for i in range(300)) + "\n" + ",".join(map(str, range(300))) + "\n")
    assert found.rows == [tuple(range(300))]


def test_dates_are_dates_only_where_all_are_written_alike(look: Any) -> None:
    found = look("a,b,c,d\n2026-01-31,31.01.2026,20260131,31/01/2026\n2026-02-01,01.02.2026,20260201,01/31/2026\n")
    assert {kind for _, kind in found.columns} <= {"date", "text", "integer"}
    assert dict(found.columns)["a"] == "date"
    assert dict(found.columns)["d"] == "text"


def test_a_value_far_below_decides_too(folder: Path, make: Make) -> None:
    source = make("a,b,c,d\n" + "1,1,2026-01-01,true\n" * 50_000 + "n/a,1.5,never,1\n")
    assert found_in(source, folder).columns == [
        ("a", "text"),
        ("b", "number"),
        ("c", "text"),
        ("d", "text"),
    ]


def test_whole_numbers_stay_exact_beside_longer_ones(look: Any) -> None:
    assert look("a\n9007199254740993\n12345678901234567890\n").rows[0][0] in {9007199254740993, "9007199254740993"}


@pytest.mark.parametrize("content", ["", "\n\n\n", "  \n", "\ufeff"])
def test_an_empty_file_is_told(sentence: Any, content: str) -> None:
    assert sentence(content) == "data: the file is empty."


def test_a_header_alone_gives_columns_without_rows(look: Any) -> None:
    found = look("a,b,c\n")
    assert ([name for name, _ in found.columns], found.rows) == (["a", "b", "c"], [])


def test_duplicate_names_become_different(look: Any) -> None:
    assert [name for name, _ in look("a,a,A\n1,2,3\n").columns] == ["a", "a_1", "A_2"]


def test_strange_names_of_columns_stay(look: Any) -> None:
    assert [name for name, _ in look("a\"b,c'd,$x,{é}\n1,2,3,4\n").columns] == ['a"b', "c'd", "$x", "{é}"]


def test_what_is_called_csv_but_is_not_is_told(sentence: Any, tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))
    assert sentence(png) == "data: the file is called csv but holds a PNG picture."
    assert sentence(gzip.compress(b"a,b\n1,2\n")) == (
        "data: the file is called csv but holds a gzip archive; unpack it first."
    )
    assert sentence(bytes(range(256))) == "data: the file holds bytes that are no text."


def test_a_file_that_claims_2_gb_is_refused_at_once(folder: Path, make: Make) -> None:
    source = make("a,b\n1,2\n")
    with source.path.open("r+b") as file:
        file.truncate(2 << 30)  # a sparse file: 8 bytes, then zeros
    with pytest.raises(Permanent, match=r"^data: the file holds bytes that are no text\.$"):
        found_in(source, folder)


def test_json_comes_in_lines_in_a_list_and_nested(look: Any) -> None:
    changing = look('{"a": 1}\n{"b": "x", "a": 2.5}\n{}\n', "ndjson")
    assert (changing.columns, changing.rows) == (
        [("a", "number"), ("b", "text")],
        [(1.0, None), (2.5, "x"), (None, None)],
    )
    nested = look('[{"a": {"b": [1, {"c": null}]}}, {"a": null}]', "json")
    assert nested.columns == [("a", "text")]
    assert [row[0] and row[0][:5] for row in nested.rows] == ['{"b":', None]
    assert look('\ufeff[{"ä": 1}]', "json").columns == [("ä", "integer")]
    assert look("[1, 2]", "json").rows == [(1,), (2,)]


def test_broken_json_is_told(sentence: Any) -> None:
    message = sentence('{"a": 1}\n{"a": \n', "ndjson")
    assert message.startswith("data could not be read: Malformed JSON")
    assert "data-1" not in message


def parquet(path: Path) -> bytes:
    duckdb.execute(
        f"COPY (SELECT 1 AS a, DATE '2026-01-01' AS b, 1.50::DECIMAL(4,2) AS c) TO '{path}' (FORMAT parquet)"
    )
    return path.read_bytes()


def test_parquet_is_read_and_a_torn_one_is_told(look: Any, sentence: Any, tmp_path: Path) -> None:
    whole = parquet(tmp_path / "whole")
    assert look(whole, "parquet").columns == [("a", "integer"), ("b", "date"), ("c", "number")]
    for torn in (whole[:-20], whole[: len(whole) // 2], b"PAR1", whole[:-8] + b"\xff\xff\xff\x7fPAR1"):
        message = sentence(torn, "parquet")
        assert message.startswith("data could not be read: ")
        assert str(tmp_path) not in message


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": "', filename='/etc/passwd"},
        {"date_format": "%"},
        {"decimal": "x"},
        {"encoding": "klingon"},
        {"columns": (("a", "BIGINT'), ('b"),)},
        {"quote": "''"},
        {"skip": -1},
    ],
)
def test_options_cannot_break_out(sentence: Any, options: dict[str, Any]) -> None:
    assert sentence("a,b\n1,2\n", **options).startswith(("data", "The query failed"))


def test_an_unknown_format_is_told(sentence: Any) -> None:
    assert sentence("x", "xlsx").startswith("data: the file is of no format that can be read")


def test_options_default_to_nothing_known() -> None:
    assert Source(Path("x"), "csv").options == Options()
