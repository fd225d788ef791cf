"""ZIP archives that mean harm, by their directory and behind its back."""

from __future__ import annotations

import struct
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, BadZipFile, ZipFile

import pytest

from tests.services.tables.workbook import SHEET, pack, parts
from webapi.errors import Invalid
from webapi.services.tables.packages import MOST_RECORD, MOST_UNPACKED, Package, open_package


def refused(path: Path) -> str:
    with pytest.raises(Invalid) as caught, open_package(path):
        pass
    return caught.value.message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def test_a_package_gives_its_parts(path: Path) -> None:
    with open_package(pack(path, parts())) as package:
        assert package.read(SHEET).decode() == parts()[SHEET]


def test_a_bomb_by_ratio_is_refused_by_its_directory(path: Path) -> None:
    assert "ZIP bomb" in refused(pack(path, {SHEET: " " * 11_000_000}))


def test_more_entries_than_a_workbook_has_are_refused(path: Path) -> None:
    assert "more than 1,000 parts" in refused(pack(path, {str(n): "" for n in range(1_001)}))


def test_a_directory_without_measure_is_not_even_read(path: Path) -> None:
    assert "damaged" in refused(pack(path, {f"{n:0200}": "" for n in range(5_000)}))


def admitting(path: Path, size: int) -> None:
    """Let the directory and the head of the first entry say that it unpacks to `size` bytes."""
    content = bytearray(path.read_bytes())
    content[22:26] = struct.pack("<I", size)
    where = content.index(b"PK\x01\x02")
    content[where + 24 : where + 28] = struct.pack("<I", size)
    path.write_bytes(content)


def test_more_bytes_than_the_directory_may_admit_are_refused(path: Path) -> None:
    admitting(pack(path, {SHEET: "x"}), MOST_UNPACKED + 1)
    assert "more than 500 MB" in refused(path)


def test_a_lying_directory_gives_no_more_than_it_admits(path: Path) -> None:
    admitting(pack(path, {SHEET: f"<x>{' ' * 50_000_000}</x>"}), 1_000)
    with open_package(path) as package, pytest.raises(BadZipFile):
        package.read(SHEET)


def test_what_is_read_counts_against_one_limit_for_all(path: Path, tmp_path: Path) -> None:
    with open_package(pack(path, parts())) as package:
        package.left = 2 * len(parts()[SHEET])
        assert package.read(SHEET) == package.read(SHEET)
        with pytest.raises(Invalid, match="more than 500 MB"):
            package.read(SHEET)
        with pytest.raises(Invalid, match="more than 500 MB"):
            package.stream(SHEET, "row").check()


@pytest.mark.parametrize("record", ["row", "x:row"])
def test_records_are_limited_one_by_one(path: Path, record: str) -> None:
    one = f"<{record}>" + "<c/>" * 50_000 + f"</{record}>"
    text = '<s xmlns:x="x">' + one * 40 + "</s>"
    assert len(text) > MOST_RECORD
    with open_package(pack(path, {SHEET: text}, method=0)) as package:
        assert package.stream(SHEET, "row").read() == text.encode()
        with pytest.raises(Invalid, match="too many cells"):
            package.read(SHEET)


def flagged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def test_an_encrypted_entry_is_refused(path: Path) -> None:
    flagged(pack(path, parts()))
    assert "protected with a password" in refused(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "protected with a password, or is an old .xls"),
        (b"email,name\n1,2\n", "should be called .csv"),
        (b"PK\x03\x04" + bytes(600), "damaged"),
        (b"PK", "damaged"),
        (b"P", "no workbook"),
    ],
)
def test_what_is_no_package_is_refused_with_a_remedy(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    assert said in refused(path)


def test_a_packing_that_unpacks_without_bound_is_refused(path: Path) -> None:
    assert "packed in a way" in refused(pack(path, parts(), method=ZIP_BZIP2))


def test_macros_are_refused(path: Path) -> None:
    assert "holds macros" in refused(pack(path, {**parts(), "xl/vbaProject.bin": "x"}))


def test_a_package_is_a_zip_file_for_whoever_reads_it(path: Path) -> None:
    with open_package(pack(path, parts(), method=ZIP_DEFLATED)) as package:
        assert isinstance(package, Package)
        assert isinstance(package, ZipFile)
        assert package.testzip() is None
