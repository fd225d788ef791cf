"""What somebody wants changed about a table, held against the columns that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from webapi.errors import Permanent
from webapi.services.processing.columns import REALS, Column, Wanted
from webapi.services.processing.shown import short

OnError = Literal["null", "drop", "fail"]


@dataclass(frozen=True)
class Cleaning:
    """The steps, in their order. All name the columns as the table does; new names come last.

    In `types`, `date:%d.%m.%Y` says how dates are written, after strptime.
    """

    trim: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    on_error: OnError = "null"
    filter: str | None = None
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    dedupe: bool = False
    dedupe_by: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self != Cleaning(on_error=self.on_error)


class Plan:
    """Permanent, with a sentence, when the table has no such columns, or none would be left.

    `types` are those that change something, by column. Columns of our own in statements begin with `mark`, as none
    of the table's does.
    """

    def __init__(self, table: str, columns: list[Column], wanted: Cleaning) -> None:
        self.table, self.columns, self.wanted = table, columns, wanted
        self._known = {column.name.casefold(): column for column in columns}
        self.types = self._types()
        self.cut = [column for column in columns if wanted.trim and column.real == "VARCHAR"]
        keep = self._find(wanted.keep, "keep") if wanted.keep else columns
        drop = self._find(wanted.drop, "drop")
        self.kept = [column for column in columns if column in keep and column not in drop]
        self.names = self._names()
        by = self._find(wanted.dedupe_by, "dedupe_by")
        self.dedupes = wanted.dedupe or bool(by)
        self.alike = by or self.kept
        self.mark = "_"
        while any(name.startswith(self.mark) for name in self._known):
            self.mark += "_"

    def out(self, column: Column) -> Column:
        """The column after the step `types`."""
        wanted = self.types.get(column)
        return Column(column.name, REALS[wanted.kind]) if wanted else column

    def _types(self) -> dict[Column, Wanted]:
        found = dict(
            zip(self._find(self.wanted.types, "types"), map(Wanted.parse, self.wanted.types.values()), strict=True)
        )
        return {column: wanted for column, wanted in found.items() if wanted.pattern or wanted.kind != column.kind}

    def _names(self) -> list[str]:
        new = dict(zip(self._find(self.wanted.rename, "rename"), self.wanted.rename.values(), strict=True))
        names = [new.get(column, column.name) for column in self.kept]
        twice = [name for name, count in Counter(map(str.casefold, names)).items() if count > 1]
        if twice:
            raise Permanent(f"Two columns would be called {short(twice[0])!r}.")
        if not names:
            raise Permanent("No column would be left.")
        return names

    def _find(self, names: Iterable[str], option: str) -> list[Column]:
        missing = next((name for name in names if name.casefold() not in self._known), None)
        if missing is not None:
            known = ", ".join(short(column.name) for column in self.columns)[:300]
            raise Permanent(f"{option}: there is no column {short(missing)!r}. There are: {known}.")
        return [self._known[name.casefold()] for name in names]
