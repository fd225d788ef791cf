"""Text tables (CSV) as records: which encoding, which delimiter, and rows that cannot fill the memory."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TextIO

from webapi.errors import Invalid

MOST_ROW = 1_000_000  # characters; thirty cells as long as Excel allows
SAMPLE = 65_536  # bytes or characters that tell the kind of the file and its delimiter
SAMPLE_ROWS = 20
STRANGE_SHARE = 20  # one control character in so many: nobody types that
DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}  # the rarer in prose, the sooner believed
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SEP = re.compile(r'"?sep=([^\w"\r\n])"?(\r\n|\r|\n|$)', re.IGNORECASE)  # a first line as Excel writes and reads it
STRANGE = re.compile("[\0-\x08\x0e-\x1f]")
KINDS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or a workbook; a workbook should be called .xlsx",
    b"PK\x05\x06": "an empty ZIP archive",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"\xd0\xcf\x11\xe0": "an old or a protected workbook; save it as .xlsx without a password",
}
ENDLESS = "A cell or a row does not end: a quote may be missing. The rows from here on were not read."

# The line on which a row begins, its cells, and what is wrong with it.
Record = tuple[int, list[str], str]


@contextmanager
def open_text(path: Path, *, usual: str = ",") -> Iterator[tuple[tuple[str, ...], Iterator[Record]]]:
    """Notes for a person, and the rows, separated by `usual` unless the header says otherwise.

    Invalid when the file holds no text. The encoding is told from the whole file, which is read twice.
    """
    with path.open("rb") as file:
        encoding, notes = _encoding(path, file.read(SAMPLE))
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        head = text.read(SAMPLE)
        _judge(head)
        text.seek(0)
        if sep := SEP.match(head):
            text.readline()
        delimiter = sep[1] if sep else _delimiter(head, usual)
        if delimiter != usual:
            notes += (f"Separated by {DELIMITERS.get(delimiter, repr(delimiter))}.",)
        yield notes, _records(_Lines(text, 1 if sep else 0), delimiter, encoding)


def _encoding(path: Path, sample: bytes) -> tuple[str, tuple[str, ...]]:
    """The encoding that the whole file is in, and a note when it is not UTF-8."""
    for magic, kind in KINDS.items():
        if sample.startswith(magic):
            raise Invalid(f"The file is called a text table but holds {kind}.")
    encoding = next((name for bom, name in BOMS.items() if sample.startswith(bom)), "utf-8")
    line = _undecodable(path, encoding)
    if not line:
        return encoding, ("Read as UTF-16.",) if encoding == "utf-16" else ()
    if encoding != "utf-8":
        name = encoding.removesuffix("-sig").upper()
        raise Invalid(f"The file begins as {name} but is not from line {line:,} on. Save it again.")
    return "cp1252", (f"Read as Windows-1252: line {line:,} is not UTF-8. Look whether accents are right.",)


def _undecodable(path: Path, encoding: str) -> int:
    """The first line that is not in the encoding (in UTF-16 one shortly before it); 0 when all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, held = 1, ""  # one character is held back, for CR and LF may stand in two blocks
    with path.open("rb") as file:
        while True:
            data = file.read(SAMPLE)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                good = "" if encoding == "utf-16" else error.object[: error.start].decode("utf-8", "ignore")
                return line + _breaks(held + good)
            if not data:
                return 0
            line, held = line + _breaks(held + text[:-1]), text[-1:]


def _breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _judge(head: str) -> None:
    """Invalid when this is nothing that somebody wrote."""
    if not head.strip():
        raise Invalid("The file is empty. Upload a table with a header and at least one row.")
    if head.count("\0") * 4 > len(head):
        raise Invalid("The file seems to be UTF-16 or UTF-32 without its mark. Save it again as CSV UTF-8.")
    if len(STRANGE.findall(head)) > max(3, len(head) // STRANGE_SHARE):
        raise Invalid("The file holds no text. Save the table as CSV UTF-8 or as .xlsx.")


def _delimiter(head: str, usual: str) -> str:
    """The delimiter that cuts the header and the first rows into the same number of cells, two or more."""
    scores = {each: _agreement(head, each) for each in DELIMITERS}
    best = max(scores, key=lambda each: scores[each])
    return best if scores[best][1] else usual


def _agreement(head: str, delimiter: str) -> tuple[float, int]:
    """The share of rows with as many cells as the header, and these; (0, 0) when the header has one cell."""
    counts: list[int] = []
    lines = list(StringIO(head, newline=""))
    if len(head) == SAMPLE and len(lines) > 1:
        lines.pop()  # cut in the middle
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while len(counts) < SAMPLE_ROWS:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            counts.append(0)
            continue
        if any(map(str.strip, row)):
            counts.append(len(row))
    if not counts or counts[0] < 2:
        return 0, 0
    return sum(each == counts[0] for each in counts) / len(counts), counts[0]


class _TooLong(Exception):
    pass


class _Lines:
    """The lines of a text, counted; _TooLong when one row takes more than MOST_ROW characters."""

    def __init__(self, text: TextIO, line: int) -> None:
        self.text, self.line, self.taken = text, line, 0

    def __iter__(self) -> Iterator[str]:
        while piece := self.text.readline(MOST_ROW + 1):
            self.line += 1
            self.taken += len(piece)
            if self.taken > MOST_ROW:
                raise _TooLong
            yield piece


def _records(lines: _Lines, delimiter: str, encoding: str) -> Iterator[Record]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    while True:
        begin, lines.taken = lines.line + 1, 0
        try:
            cells = next(rows)
        except StopIteration:
            return
        except _TooLong:
            yield begin, [], ENDLESS
            return
        except csv.Error as error:
            reason = str(error)
            if "field limit" in reason:  # who knows whether the next line is still inside of a quote?
                yield begin, [], ENDLESS
                return
            ends = "unexpected end" in reason
            yield (
                begin,
                [],
                "A quote begins in this row and never ends." if ends else "A quote is inside a cell: double it.",
            )
            continue
        damaged = encoding == "cp1252" and any("\ufffd" in cell for cell in cells)
        yield begin, cells, "A character of this row is not in Windows-1252." if damaged else ""
