"""What both sides of the pipe know: the files of a query, how to read them, and what a query may use.

Standard library alone: the child imports this, and it must start fast and know nothing of ours.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMATS = ("csv", "tsv", "json", "ndjson", "parquet")


class Refusal(Exception):
    """Why the child does not do it: a sentence; about a file the sentence without its subject and its full stop."""


@dataclass(frozen=True)
class Options:
    """How to read a text table. What is None is told from the whole file, and given back for a person to correct.

    `columns` are names with DuckDB's types; kept from an earlier look, they spare the next query a pass over the file.
    """

    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip: int | None = None
    date_format: str | None = None
    timestamp_format: str | None = None
    decimal: str | None = None
    columns: tuple[tuple[str, str], ...] | None = None

    @classmethod
    def load(cls, values: dict[str, Any]) -> Options:
        """Out of JSON, which knows lists alone."""
        columns = values.get("columns")
        return cls(**values | {"columns": columns and tuple((str(name), str(kind)) for name, kind in columns)})


@dataclass(frozen=True)
class Source:
    """A file that a statement reads as a table. `format` is one of FORMATS, whatever the file is called."""

    path: Path
    format: str
    options: Options = Options()

    @classmethod
    def load(cls, values: dict[str, Any]) -> Source:
        return cls(Path(values["path"]), values["format"], Options.load(values["options"]))

    def dump(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path.absolute())}


@dataclass(frozen=True)
class Limits:
    """What one query may use. `seconds` count while somebody waits for it, not while its rows are being used."""

    memory_bytes: int = 256 << 20  # of DuckDB itself; the process may have PROCESS_BYTES more
    seconds: float = 60.0
    rows: int = 1_000_000
    temp_bytes: int = 1 << 30  # 0: nothing is spilled to the disk
