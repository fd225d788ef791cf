"""Which format a file is in, told from its first bytes and its name."""

from __future__ import annotations

from pathlib import Path

from webapi.errors import Invalid
from webapi.services.tables.delimited import KINDS

FORMATS = ("csv", "tsv", "json", "ndjson", "parquet", "xlsx")
SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
HEAD = 4096  # bytes
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")  # a workbook is one


def told(head: bytes, name: str) -> str:
    """One of FORMATS, by the first `HEAD` bytes. They win over the name: a text that is called .xlsx is read as a text.

    Raises Invalid for what is no table in any of them.
    """
    suffix = Path(name).suffix.lower()
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(ARCHIVES):
        return "xlsx"
    kind = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), None)
    if kind:
        raise Invalid(f"The file holds {kind}. Upload CSV, TSV, JSON, NDJSON, Parquet or XLSX.")
    if suffix == ".parquet":
        raise Invalid("The file is called .parquet but holds none.")
    return SUFFIXES.get(suffix) or _of_text(head)


def _of_text(head: bytes) -> str:
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return {b"{": "ndjson", b"[": "json"}.get(begin, "csv")
