"""Where rows come from: uploads of every kind, datasets, and awkward files."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import openpyxl
import pytest
from flask import current_app
from uuid_utils.compat import uuid7

from tests.queue.rows import OWNER, accept, add_owner, job
from webapi.models import Dataset, Job
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.run import work
from webapi.services import storage
from webapi.tasks.data_process import Data

pytestmark = pytest.mark.usefixtures("owner")


def process(name: str, content: bytes, **options: Any) -> Job:
    """The finished job of a file."""
    kept = storage.receive(OWNER, name, "text/plain", BytesIO(content))
    return processed(Data(file=kept.id, **options))


def processed(payload: Data) -> Job:
    job_id = accept("data.process", payload)
    work(kind_named("data.process"))
    return job(job_id)


def parquet(folder: Path) -> bytes:
    path = folder / "a.parquet"
    values = "(1, 'x', [1, 2], TIMESTAMP_NS '2024-01-01 00:00:00.123456789'), (2, NULL, NULL, NULL)"
    duckdb.connect().execute(f"COPY (FROM (VALUES {values}) t(a, b, c, d)) TO '{path}'")
    return path.read_bytes()


def xlsx(*rows: list[Any]) -> bytes:
    book, out = openpyxl.Workbook(), BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(out)
    return out.getvalue()


FILES = {
    "a.csv": b"a,b\n1,x\n2,\n",
    "bom.csv": b"\xef\xbb\xbfa,b\n1,x\n2,\n",
    "semicolons.csv": "a;b\n1;ü\n2;\n".encode("latin-1"),
    "wide.csv": "a,b\n1,x\n2,\n".encode("utf-16"),
    "quoted.csv": b'a,b\n1,"x\ny"\n2,\n',
    "a.tsv": b"a\tb\n1\tx\n2\t\n",
    "a.ndjson": b'{"a":1,"b":"x"}\n{"a":2}\n',
    "a.json": b'[{"a":1,"b":"x"},{"a":2,"b":null}]',
    "A.XLSX": xlsx(["a", "b"], [1, "x"], [2]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_by_its_name(name: str) -> None:
    done = process(name, FILES[name])
    assert (done.error_public, done.state) == (None, "succeeded")
    assert done.result is not None
    first, second = done.result["columns"]
    assert (done.result["rows"], first["name"], first["type"], first["max"]) == (2, "a", "integer", 2)
    assert (second["name"], second["nulls"]) == ("b", 1)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    done = process("a.parquet", parquet(tmp_path))
    assert done.result is not None
    assert [each["type"] for each in done.result["columns"]] == ["integer", "text", "text", "datetime"]
    assert done.result["columns"][2]["top"] == [{"value": "[1,2]", "count": 1}]
    assert done.result["columns"][3]["min"] == "2024-01-01T00:00:00.123457"


BROKEN = [
    ("a.exe", b"MZ"),
    ("a", b"a,b\n"),
    ("empty.csv", b""),
    ("a.json", b'[{"a":1},{"a":'),
    ("a.ndjson", b'{"a":1}\n{"a":\n'),
    ("a.csv", bytes(range(256)) * 20),
    ("ragged.csv", b"a,b\n1,2\n3\n"),
    ("a.parquet", b"PAR1xxxxPAR1"),
    ("a.xlsx", b"PK\x03\x04"),
    ("zip.csv", b"PK\x03\x04 and so on"),
    ("blank.xlsx", xlsx()),
    ("wide.xlsx", xlsx(["a"], [1, 2])),
]


@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_what_cannot_be_read_is_said_once_without_a_path(name: str, content: bytes) -> None:
    done = process(name, content)
    said = done.error_public or ""
    assert (done.state, done.attempt, done.error_code) == ("failed", 1, "permanent")
    assert said.startswith(name)
    assert not {"objects", "staging", "tmp"} & set(re.split(r"\W", said))


def test_a_small_workbook_that_is_a_large_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.config, "DATASET_BYTES", 50_000)
    done = process("wide.xlsx", xlsx([f"c{number}" for number in range(1000)], *[["x"]] * 200))
    assert done.error_public == "wide.xlsx: As a table the sheet is larger than 0 MB. Split it."


def test_a_cell_that_reads_like_a_file_opens_none() -> None:
    done = process("a.csv", b"path\nread_csv('/etc/passwd')\n", filter="path like 'read%'")
    assert done.result is not None
    assert (done.result["rows"], "root:" in str(done.result)) == (1, False)


def dataset(folder: Path, state: str, owner_id: UUID = OWNER) -> None:
    kept = storage.receive(OWNER, "a.parquet", "application/vnd.apache.parquet", BytesIO(parquet(folder)))
    row = Dataset(id=uuid7(), owner_id=owner_id, name=f"sales {state}", file_name="a.csv", format="csv")
    row.sha256, row.table_sha256, row.size, row.state = kept.sha256, kept.sha256, kept.size, state
    row.problem = "it is torn." if state == "faulty" else None
    with writing() as session:
        session.add(row)


def test_a_dataset_is_read_by_its_name(tmp_path: Path) -> None:
    dataset(tmp_path, "ready")
    done = processed(Data(dataset="sales ready"))
    assert (done.error_public, (done.result or {})["rows"]) == (None, 2)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("sales faulty", "The dataset 'sales faulty' cannot be read: it is torn."),
        ("of nobody", "There is no dataset 'of nobody'."),
    ],
)
def test_a_dataset_that_is_not_there_is_said_to_be_none(tmp_path: Path, name: str, sentence: str) -> None:
    if name == "sales faulty":
        dataset(tmp_path, "faulty")
    assert processed(Data(dataset=name)).error_public == sentence


def test_the_dataset_of_somebody_else_is_not_there(tmp_path: Path) -> None:
    other = uuid7()
    add_owner(other, "eve@example.com")
    dataset(tmp_path, "ready", other)
    assert processed(Data(dataset="sales ready")).error_public == "There is no dataset 'sales ready'."
