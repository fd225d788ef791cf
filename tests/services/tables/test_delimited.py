"""Text tables in the encodings and dialects that programs write."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webapi.errors import Invalid
from webapi.services.tables.delimited import MOST_ROW, Record, open_text


def read(path: Path, content: bytes) -> tuple[tuple[str, ...], list[Record]]:
    path.write_bytes(content)
    with open_text(path) as (notes, records):
        return notes, list(records)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_utf_8_with_commas_needs_no_note(path: Path, encoding: str, end: str) -> None:
    notes, records = read(path, f"email,name{end}ä@x.de,Zoë{end}".encode(encoding))
    assert (notes, records) == ((), [(1, ["email", "name"], ""), (2, ["ä@x.de", "Zoë"], "")])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_by_its_mark(path: Path, encoding: str) -> None:
    notes, records = read(path, "\ufeffemail,name\r\na@x.de,Zoë\r\n".encode(encoding))
    assert (notes, records[1]) == (("Read as UTF-16.",), (2, ["a@x.de", "Zoë"], ""))


@pytest.mark.parametrize(("end", "block"), [("\n", 1), ("\r", 40_000), ("\r\n", 40_000), ("\r\n", 40_001)])
def test_windows_1252_is_noted_with_the_line_that_told(path: Path, end: str, block: int) -> None:
    plain = f"a,{'x' * (block % 2)}{end}" * block
    notes, records = read(path, f"a,b{end}{plain}".encode() + f"€,Zoë{end}".encode("cp1252"))
    assert notes == (f"Read as Windows-1252: line {block + 2:,} is not UTF-8. Look whether accents are right.",)
    assert records[-1] == (block + 2, ["€", "Zoë"], "")


def test_a_byte_that_windows_1252_does_not_have_is_a_fault_of_its_row(path: Path) -> None:
    _, records = read(path, b"a,b\n\x81,\xe4\n\xe4,c\n")
    assert [fault for _, _, fault in records] == ["", "A character of this row is not in Windows-1252.", ""]


@pytest.mark.parametrize(
    ("text", "note", "row"),
    [
        ("name;amount\nA;1,5\nB;2,7\n", "Separated by semicolons.", ["A", "1,5"]),
        ("name\tsay\nA\tx, y; z\n", "Separated by tabs.", ["A", "x, y; z"]),
        ("a|b\n1|2,3\n", "Separated by bars.", ["1", "2,3"]),
        ('"a;1";"b;2"\n"x;y";z\n', "Separated by semicolons.", ["x;y", "z"]),
        ("sep=;\na;b\n1;2\n", "Separated by semicolons.", ["1", "2"]),
        ('"sep=^"\r\na^b\r\n1^2\r\n', "Separated by '^'.", ["1", "2"]),
        ("email,tags\nx@y.de,a;b\nz@y.de,c;d\n", None, ["x@y.de", "a;b"]),
        ("email\nx@y.de\n", None, ["x@y.de"]),
        ('a, b\n1, "2,3"\n', None, ["1", "2,3"]),
        ('a,b\n5" disk,x\n', None, ['5" disk', "x"]),
        ("a,b\u2028c\n1,2\n", None, ["1", "2"]),
    ],
)
def test_the_delimiter_is_found(path: Path, text: str, note: str | None, row: list[str]) -> None:
    notes, records = read(path, text.encode())
    begin = 3 if "sep=" in text else 2
    assert notes == ((note,) if note else ())
    assert records[1] == (begin, row, "")


def test_a_row_is_named_by_the_line_on_which_it_begins(path: Path) -> None:
    _, records = read(path, b'a,b\n1,"x\r\ny\rz\n"\n\n2,3\n')
    assert [(line, cells) for line, cells, _ in records] == [
        (1, ["a", "b"]),
        (2, ["1", "x\r\ny\rz\n"]),
        (6, []),
        (7, ["2", "3"]),
    ]


def test_a_stray_quote_spoils_its_row_alone(path: Path) -> None:
    _, records = read(path, b'a,b\n"John "Jack" Smith",1\n2,3\n')
    assert records[1:] == [(2, [], "A quote is inside a cell: double it."), (3, ["2", "3"], "")]


def test_a_quote_that_never_ends_is_named(path: Path) -> None:
    assert read(path, b'a,b\n1,2\n3,"4\n5,6\n')[1][2:] == [(3, [], "A quote begins in this row and never ends.")]


@pytest.mark.parametrize(
    "endless", [b'"' + b"x\n" * MOST_ROW, b'"' + b"x" * 3 * MOST_ROW, b"x," * MOST_ROW, b"x" * 200_000 + b"\n"]
)
def test_a_row_without_an_end_ends_the_reading_with_a_sentence(path: Path, endless: bytes) -> None:
    _, records = read(path, b"a,b\n1,2\n" + endless + b"\n3,4\n")
    assert [line for line, _, _ in records] == [1, 2, 3]
    assert "rows from here on were not read" in records[2][2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
        (b"PK\x03\x04" + bytes(100), "should be called .xlsx"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "without a password"),
        ("email,name\na@x.de,b\n".encode("utf-16-le"), "UTF-16 or UTF-32 without its mark"),
        ("email,name\na@x.de,b\n".encode("utf-16-be"), "UTF-16 or UTF-32 without its mark"),
        ("email,name\na@x.de,b\n".encode("utf-32"), "UTF-16 or UTF-32"),
        (bytes(range(256)) * 50, "holds no text"),
        (b"\x00\xff" * 500, "UTF-16 or UTF-32 without its mark"),
        (b" \r\n\t\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xef\xbb\xbfa,b\n1,2\n\xe4,2\n", "begins as UTF-8 but is not from line 3 on"),
        (b"\xff\xfea", "begins as UTF-16 but is not"),
    ],
)
def test_what_is_no_text_is_refused_with_a_remedy(path: Path, content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(path, content)


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cc", "Cs"))
    | st.sampled_from('\n\r",;|\t ä')
)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_program_writes_reads_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    delimiter: str,
    end: str,
    encoding: str,
    quoting: Literal[0, 1],
) -> None:
    table = [["email", "first name", "city"], *rows]
    if any("\n" in cell or "\r" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # the writer quotes only those line breaks that it ends rows with itself
    written = StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)
    text = written.getvalue()
    if encoding == "cp1252":
        content = text.encode("cp1252", "ignore")
        table = [[cell.encode("cp1252", "ignore").decode("cp1252") for cell in row] for row in table]
        assume(not _is_utf_8(content) or text.isascii())
    else:
        content = text.encode(encoding)
    _, records = read(tmp_path_factory.mktemp("csv") / "upload", content)
    stripped = [[cell.strip() for cell in row] for row in table]
    assert [[cell.strip() for cell in cells] for _, cells, _ in records] == stripped
    assert not any(fault for _, _, fault in records)


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
