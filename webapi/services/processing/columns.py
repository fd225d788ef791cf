"""The columns of a table, and a value of one as text, as another type, or as what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webapi.services.formats import Type
from webapi.services.queries.calls import identifier, quoted

KINDS: tuple[tuple[str, Type], ...] = (
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", "integer"),
    (r"DOUBLE|FLOAT|DECIMAL\(\d+,\d+\)", "number"),
    (r"BOOLEAN", "boolean"),
    (r"DATE", "date"),
    (r"TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?", "datetime"),
)
REALS: dict[Type, str] = {
    "text": "VARCHAR", "integer": "HUGEINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "datetime": "TIMESTAMP",
}  # fmt: skip
NESTED = re.compile(r"(STRUCT|MAP|UNION)\(.*|.*\[\d*\]|JSON|VARIANT", re.DOTALL)
SPACES = "".join(chr(code) for code in range(0x10000) if chr(code).isspace()) + "\ufeff\u200b"
DAY = r"\d{4}-\d\d?-\d\d?"
TIME = r"\d\d?:\d\d(:\d\d(\.\d{1,9})?)?"
ZONE = r" ?([Zz]|[+-]\d\d(:?\d\d)?)"
# What a text must look like before it is cast: a cast alone would make 2 of 1.5 and a day of a moment.
LOOKS: dict[Type, str] = {
    "integer": r"[+-]?\d+(\.0*)?",
    "number": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "boolean": "true|t|yes|y|1|false|f|no|n|0",
    "date": rf"{DAY}([ T]00?:00(:00(\.0+)?)?)?",
    "datetime": rf"{DAY}([ T]{TIME}({ZONE})?)?",
}
CASTS: dict[Type, str] = {
    "integer": r"TRY_CAST(regexp_replace({}, '\.0*$', '') AS HUGEINT)",
    "number": "nullif(nullif(TRY_CAST({} AS DOUBLE), 'infinity'), '-infinity')",
    "boolean": "left(lower({}), 1) IN ('t', 'y', '1')",
    "date": "TRY_CAST(left({}, 10) AS DATE)",
    "datetime": "TRY_CAST({} AS TIMESTAMPTZ)::TIMESTAMP",  # in UTC, as the session is
}


@dataclass(frozen=True)
class Column:
    """`real` is DuckDB's name of its type."""

    name: str
    real: str

    @property
    def kind(self) -> Type:
        return next((kind for pattern, kind in KINDS if re.fullmatch(pattern, self.real)), "text")

    @property
    def value(self) -> str:
        """In SQL: the value in a type that formats know; nanoseconds are rounded to microseconds."""
        name = identifier(self.name)
        if self.real == "TIMESTAMP_NS":
            return f"{name}::TIMESTAMP"
        return name if self.kind != "text" or self.real == "VARCHAR" else self.text

    @property
    def held(self) -> str:
        """DuckDB's type of `value`."""
        if self.real == "TIMESTAMP_NS":
            return "TIMESTAMP"
        return "VARCHAR" if self.kind == "text" else self.real

    @property
    def text(self) -> str:
        """In SQL: the value as text, whatever it is."""
        name = identifier(self.name)
        if self.real == "VARCHAR":
            return name
        if self.real == "BLOB":
            return f"hex({name})"
        return f"to_json({name})::VARCHAR" if NESTED.fullmatch(self.real) else f"{name}::VARCHAR"


@dataclass(frozen=True)
class Wanted:
    """A type that a column is to have. `pattern` says how its dates are written, after strptime, or is the comma
    before the decimals of its numbers."""

    kind: Type
    pattern: str | None = None

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """`integer`, `date`, `date:%d.%m.%Y`, `number:,`. ValueError for another type."""
        kind, _, pattern = text.partition(":")
        found: Type | None = next((each for each in REALS if each == kind), None)
        if found is None or (pattern and found not in {"date", "datetime"} and (found, pattern) != ("number", ",")):
            known = f"there are {', '.join(REALS)}, and the like of date:%d.%m.%Y and number:,"
            raise ValueError(f"{text[:50]!r} is no type; {known}")
        return cls(found, pattern or None)

    @property
    def text(self) -> str:
        return f"{self.kind}:{self.pattern}" if self.pattern else self.kind

    def cast(self, text: str) -> str:
        """In SQL: a trimmed text as a value of the type, NULL where it is none."""
        if self.kind == "text":
            return text
        if self.pattern == ",":
            return Wanted("number").cast(f"replace(replace({text}, '.', '_'), ',', '.')")
        if self.pattern is not None:
            return f"try_strptime({text}, {quoted(self.pattern)})::{REALS[self.kind]}"
        looks = f"regexp_full_match({text}, {quoted(LOOKS[self.kind])}, 'i')"
        return f"CASE WHEN {looks} THEN {CASTS[self.kind].format(text)} END"


def trimmed(text: str) -> str:
    """In SQL: a text without white space at its ends."""
    return f"trim({text}, {quoted(SPACES)})"


def fingerprint(texts: Iterable[str]) -> str:
    """In SQL: 128 bits that stand for these texts together, NULL told apart from every text."""
    return f"md5_number(to_json([{', '.join(texts)}])::VARCHAR)"
