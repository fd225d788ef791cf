"""The parts of a mail that anybody may have sent: in linear time, to a fixed depth, and never an error.

The email package's parser recurses as deep as the mail says, and a crafted mail of 1 MB keeps it busy for seconds.
Here a mail is cut at its boundaries' lines, and what is malformed is passed over.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

HEAD = 64 * 1024  # characters of a header or block that are looked at
DEEPEST = 8  # multiparts within each other
MOST_PARTS = 100  # in one multipart

FIELD = re.compile(r"^([!-9;-~]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)
BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))', re.IGNORECASE)
COMMENT = re.compile(r'("[^"]*")|\((?:[^()]|\([^()]*\))*\)')  # with one in it, as deep as anybody writes them


@dataclass(frozen=True)
class Part:
    """A mail or one of its parts. Its characters stand for bytes (latin-1) until `content` decodes them.

    `in_report` is true within a multipart/report, `whole` where a boundary follows: what is not whole may be cut off.
    """

    fields: dict[str, str]
    body: str
    in_report: bool = False
    whole: bool = False

    @property
    def type(self) -> str:
        """The media type in lower case, "" where none is given."""
        return self.fields.get("content-type", "").partition(";")[0].strip().lower()


def parse(raw: bytes) -> Part:
    """The mail, its multiparts not yet taken apart."""
    return _part(_lines(raw.decode("latin-1")).lstrip("\n"))


def leaves(part: Part, depth: int = 0) -> Iterator[Part]:
    """The parts that are no multiparts. Mails within the mail stay closed."""
    if not part.type.startswith("multipart/"):
        yield part
        return
    given = BOUNDARY.search(part.fields["content-type"])
    if given and depth < DEEPEST:
        in_report = part.in_report or part.type == "multipart/report"
        for piece, ended in _pieces(part.body, (given[1] or given[2]).rstrip()):
            inner = replace(_part(piece), in_report=in_report, whole=ended or part.whole)
            yield from leaves(inner, depth + 1)


def _pieces(body: str, boundary: str) -> Iterator[tuple[str, bool]]:
    """What stands between the boundary's lines, and whether such a line ends it."""
    start = None
    for line in islice(re.finditer(rf"^--{re.escape(boundary)}(--)?[ \t]*$", body, re.MULTILINE), MOST_PARTS):
        if start is not None:
            yield body[start : max(start, line.start() - 1)], True
        start = line.end() + 1
        if line[1]:
            return
    if start is not None:
        yield body[start:], False


def _part(text: str) -> Part:
    head, _, body = ("", "", text[1:]) if text.startswith("\n") else text.partition("\n\n")
    return Part(fields_of(head), body)


def fields_of(text: str) -> dict[str, str]:
    """The first field of each name, names in lower case. Lines that belong to no field are passed over."""
    fields: dict[str, str] = {}
    for field in FIELD.finditer(text[:HEAD]):
        fields.setdefault(field[1].lower(), field[2].strip())
    return fields


def content(part: Part) -> str:
    """The part's text. Some servers write neither ASCII nor UTF-8, whatever they say: that is read as latin-1."""
    raw = part.body.encode("latin-1")
    encoding = bare(part.fields.get("content-transfer-encoding", "")).lower()
    if encoding == "quoted-printable":
        raw = quopri.decodestring(raw)
    elif encoding == "base64":
        digits = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        # One digit too many is what is left of a mail that was cut off.
        raw = binascii.a2b_base64(digits[: len(digits) - (len(digits) % 4 == 1)] + b"===")
    try:
        return _lines(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return _lines(raw.decode("latin-1"))


def bare(value: str) -> str:
    """The value without comments, those in quotes excepted."""
    return COMMENT.sub(lambda each: each[1] or " ", value).strip()


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
