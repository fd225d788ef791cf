"""A table of recipients: the header, the rows, what is wrong with them, and the memory it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from tests.contracts.source import ROOT
from tests.services.tables.workbook import pack, parts, sheet, strings
from webapi.errors import Invalid
from webapi.services.tables.sheets import Row, open_sheet


def read(folder: Path, content: str, name: str = "list.csv") -> tuple[tuple[str, ...], tuple[str, ...], list[Row]]:
    path = folder / "upload"
    path.write_bytes(content.encode())
    with open_sheet(path, name) as found:
        return found.columns, found.notes, list(found.rows)


def test_a_table_is_read_by_its_columns_and_stripped(tmp_path: Path) -> None:
    columns, notes, rows = read(tmp_path, " email , name\u00a0\n\n , \n a@x.de ,\tAda \n")
    assert (columns, notes) == (("email", "name"), ())
    assert rows == [Row(4, {"email": "a@x.de", "name": "Ada"})]


def test_a_tsv_with_tabs_needs_no_note(tmp_path: Path) -> None:
    assert read(tmp_path, "a\tb\n1\t2\n", "LIST.TSV") == (("a", "b"), (), [Row(2, {"a": "1", "b": "2"})])


@pytest.mark.parametrize(
    ("row", "fault", "values"),
    [
        ("1", "The row has 1 cells, the header has 2.", {"a": "1", "b": ""}),
        ("1,2,3", "The row has 3 cells, the header has 2.", {"a": "1", "b": "2"}),
        ("1,\0x", "The row holds a NUL character.", {"a": "1", "b": "x"}),
        (f"{'x' * 32_768},2", "A cell is longer than 32,767 characters.", {"a": "x" * 32_767, "b": "2"}),
        ('"1"2,3', "A quote is inside a cell: double it.", {"a": "", "b": ""}),
    ],
)
def test_a_faulty_row_says_why_and_the_next_is_read(
    tmp_path: Path, row: str, fault: str, values: dict[str, str]
) -> None:
    _, _, rows = read(tmp_path, f"a,b\n{row}\n8,9\n")
    assert rows == [Row(2, values, fault), Row(3, {"a": "8", "b": "9"})]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("list.xls", "x", r"an old workbook \(\.xls\)\. Save"),
        ("list.ods", "x", r"an OpenDocument sheet \(\.ods\)\. Save"),
        ("list.xlsm", "x", "a workbook with macros"),
        ("list.docx", "x", "called .docx"),
        ("list", "x", "without an ending"),
        ("list.csv", "", "is empty"),
        ("list.xlsx", "", "is empty"),
        ("list.csv", ",,\n,\n", "is empty"),
        ("list.csv", "email,name\n", "only one row"),
        ("list.csv", "email,name\n\n,\n", "only one row"),
        ("list.csv", "email,,name\n1,2,3\n", "Column 2 has no name"),
        ("list.csv", "email,name, email\n1,2,3\n", "names the column 'email' more than once"),
        ("list.csv", ",".join(map(str, range(201))) + "\n1\n", "has 201 columns. Keep at most 200"),
        ("list.csv", '"a"b,c\n1,2\n', "header in line 1 cannot be read. A quote is inside"),
        ("list.csv", "a\0,c\n1,2\n", "header in line 1 cannot be read"),
        ("list.xlsx", "email,name\n1,2\n", "should be called .csv"),
    ],
)
def test_what_is_no_table_is_refused_with_a_remedy(tmp_path: Path, name: str, content: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(tmp_path, content, name)


def test_a_workbook_is_read_by_its_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in ([None], ["email", "name", "age"], ["a@x.de ", None, 5], [None, "B"], [1, 2, 3, 4]):
        book.active.append(row)
    book.save(tmp_path / "upload")
    with open_sheet(tmp_path / "upload", "list.xlsx") as found:
        assert (found.columns, found.notes) == (("email", "name", "age"), ())
        assert list(found.rows) == [
            Row(3, {"email": "a@x.de", "name": "", "age": "5"}),
            Row(4, {"email": "", "name": "B", "age": ""}),
            Row(5, {"email": "1", "name": "2", "age": "3"}, "The row has 4 cells, the header has 3."),
        ]


needs_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells the peak there")

READER = r"""
import json, re, sys, time
from pathlib import Path
from webapi.services.tables.sheets import open_sheet
assert "openpyxl" not in sys.modules, "the web process would pay for it"
import openpyxl.reader.excel  # with numpy and Pillow, which it takes when they are there: their size is not ours
def megabytes(name):
    return int(re.search(name + r":\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
before = megabytes("VmRSS")
begin = time.perf_counter()
with open_sheet(Path(sys.argv[1]), sys.argv[1]) as sheet:
    rows = sum(not row.fault for row in sheet.rows)
figures = {"rows": rows, "seconds": time.perf_counter() - begin}
figures["megabytes"] = megabytes("VmHWM") - before
print(json.dumps(figures))
"""


def figures(path: Path) -> dict[str, float]:
    """What reading in a process of its own takes: rows, seconds, and megabytes above those of an idle process."""
    command = [sys.executable, "-c", READER, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    print(path.name, found)
    return found


@needs_linux
def test_a_long_csv_is_read_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("email,name,city,code,amount\n")
        file.writelines(f'p{n}@example.com,"Person, {n}",City {n % 97},C-{n:08},{n / 8}\n' for n in range(100_000))
    found = figures(path)
    assert found["rows"] == 100_000
    assert found["megabytes"] < 10


@needs_linux
def test_a_long_workbook_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.xlsx"
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet()
    page.append(["email", "name", "city", "code", "amount"])
    for n in range(20_000):
        page.append([f"p{n}@example.com", f"Person {n}", f"City {n % 97}", f"C-{n:08}", n / 8])
    book.save(path)
    found = figures(path)
    assert found["rows"] == 20_000
    assert found["megabytes"] < 20


@needs_linux
def test_the_shared_texts_of_a_workbook_are_what_grows(tmp_path: Path) -> None:
    texts = "".join(f"<si><t>p{n}@example.com</t></si><si><t>Person {n}</t></si>" for n in range(30_001))
    rows = "".join(
        f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{2 * n}</v></c><c r="B{n + 1}" t="s"><v>{2 * n + 1}</v></c></row>'
        for n in range(30_001)
    )
    found = figures(pack(tmp_path / "long.xlsx", parts(sheet=sheet(rows), strings=strings(texts))))
    assert found["rows"] == 30_000
    assert found["megabytes"] < 30  # 60,002 texts of 70 bytes, and what openpyxl takes
