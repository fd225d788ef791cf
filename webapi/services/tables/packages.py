"""Office packages (ZIP with XML inside) from people we do not know, opened so that none can fill the memory.

A package is judged by its directory first; since a directory may lie, every byte and every element is counted
again while it is read. zipfile itself ends an entry at the size that the directory names.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from webapi.errors import Invalid

MOST_ENTRIES = 1_000  # a workbook has ten, and a few for each sheet and picture
MOST_UNPACKED = 500_000_000  # bytes in all; a million rows of ten cells
MOST_RATIO = 200  # real sheets shrink to a tenth; deflate can reach a thousandth
RATIO_FROM = 10_000_000  # bytes; small entries may be as even as they like
MOST_DIRECTORY = 1_000_000  # bytes; room for MOST_ENTRIES with names as long as Windows allows
MOST_WHOLE = 20_000_000  # bytes of a part that is held as one tree, such as the styles
MOST_RECORD = 4_000_000  # bytes of one row or one text; 16,384 empty cells with a style take 400,000
MOST_ELEMENTS = 200_000  # with their attributes, in one tree, row or text; 16,384 cells with formulas have 100,000
MOST_DEPTH = 50

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # [MS-CFB] 2.2: .xls, and what encrypts an .xlsx


class _Bounded(io.FileIO):
    """A file that gives at most MOST_DIRECTORY bytes at once, so that a longer directory reads as cut off."""

    def read(self, size: int | None = -1) -> bytes:
        wanted = MOST_DIRECTORY if size is None or size < 0 else min(size, MOST_DIRECTORY)
        return super().read(wanted) or b""


class Package(ZipFile):
    """A ZIP whose parts are read as XML without DTD, each within limits."""

    left = MOST_UNPACKED

    def open(
        self, name: str | ZipInfo, mode: Any = "r", pwd: bytes | None = None, *, force_zip64: bool = False
    ) -> IO[bytes]:
        """A part that its reader holds as one tree: Invalid when that would be too large."""
        return cast("IO[bytes]", self.stream(name, ""))

    def stream(self, name: str | ZipInfo, record: str) -> Part:
        """A part whose reader drops each element called `record` when it is over: only these are limited in size."""
        return Part(self, super().open(name), record)


class Part(io.RawIOBase):
    """The bytes of a part, followed by a parser of our own before anybody else sees them."""

    def __init__(self, package: Package, raw: IO[bytes], record: str) -> None:
        self._package, self._raw, self._record = package, raw, record
        self._limit = MOST_RECORD if record else MOST_WHOLE
        self._fed = self._mark = self._depth = self._inside = self._outside = self._elements = 0
        self._parser = expat.ParserCreate()
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # since expat 2.6
            # It would hold back a long tag that another reader sees already; how long one may be is for us to say.
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.StartDoctypeDeclHandler = _doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(min(len(buffer), 65_536))
        self._fed += len(data)
        self._package.left -= len(data)
        if self._package.left < 0:
            raise _too_much()
        self._parser.Parse(data, False)
        if self._fed - self._mark > self._limit:
            raise Invalid("A part of the workbook is too large. Copy the table into a new workbook, or save it as CSV.")
        buffer[: len(data)] = data
        return len(data)

    def check(self) -> None:
        """Read to the end without a look, for the check sum. BadZipFile when it is wrong."""
        while data := self._raw.read(65_536):
            self._package.left -= len(data)
            if self._package.left < 0:
                raise _too_much()

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._record and not self._inside and local_name(name) == self._record:
            self._inside, self._elements, self._mark = self._depth, 0, self._parser.CurrentByteIndex
        weight = 1 + len(attributes)
        self._elements += weight if self._inside or not self._record else 0
        self._outside += 0 if self._inside else weight
        if self._depth > MOST_DEPTH or max(self._elements, self._outside) > MOST_ELEMENTS:
            raise Invalid("The workbook holds a row or a part with too many cells. Copy the table into a new workbook.")

    def _end(self, name: str) -> None:
        if self._inside == self._depth:
            self._inside, self._mark = 0, self._parser.CurrentByteIndex
        self._depth -= 1


def _doctype(*_: object) -> None:
    raise Invalid("The workbook defines entities of its own, which no spreadsheet program does. It was not read.")


def _too_much() -> Invalid:
    return Invalid(f"The workbook unpacks to more than {MOST_UNPACKED // 1_000_000} MB. Split it.")


def local_name(name: str) -> str:
    """`row` of `x:row` and of `{space}row`: what limits a record and what reads it must agree on which is one."""
    return name.rpartition("}")[2].rpartition(":")[2]


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """The package in a file. Invalid, with what to do, when it is none, protected, damaged or a bomb."""
    with _Bounded(path) as file:
        start = file.read(8)
        if start == OLE:
            raise Invalid(
                "The workbook is protected with a password, or is an old .xls: save it as .xlsx without a password."
            )
        if not start.startswith(b"PK"):
            raise Invalid("The file is called .xlsx but holds no workbook. A text file should be called .csv.")
        try:
            package = Package(file)
        except (BadZipFile, OSError, ValueError, NotImplementedError):
            raise Invalid(
                "The workbook is damaged or was not uploaded to its end. Save it again, then upload."
            ) from None
        with package:
            _judge(package.infolist())
            yield package


def _judge(entries: list[ZipInfo]) -> None:
    """What the directory admits: Invalid for a bomb, for macros, encryption and foreign compression."""
    if len(entries) > MOST_ENTRIES:
        raise Invalid(f"The workbook has more than {MOST_ENTRIES:,} parts. Copy the table into a new workbook.")
    if sum(each.file_size for each in entries) > MOST_UNPACKED:
        raise _too_much()
    for each in entries:
        if each.file_size > RATIO_FROM and each.file_size > MOST_RATIO * each.compress_size:
            raise Invalid("The workbook unpacks to far more than its size, as a ZIP bomb does. Save the table as CSV.")
        if each.flag_bits & 1:
            raise Invalid("The workbook is protected with a password: save it without one.")
        if each.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others unpack without a bound; Office uses none
            raise Invalid("The workbook is packed in a way that spreadsheet programs do not use. Save it again.")
        if each.filename.lower().endswith("vbaproject.bin"):
            raise Invalid("The workbook holds macros. Save it as .xlsx, which has none.")
