"""What type a column of Parquet has: the narrowest that holds every digit of its values."""

from __future__ import annotations

from webapi.services.formats.sums import digits
from webapi.services.formats.table import Column
from webapi.services.formats.texts import Texts

DIGITS = 38  # of a DECIMAL


class Shape:
    """Known when the last of the column's texts has been seen. `floats` says that numbers among them are floats."""

    def __init__(self, column: Column) -> None:
        self.kind, self.floats = column.type, column.floats
        self.before, self.after = 0, 0  # most digits on either side of the point
        self.naive = False

    def see(self, texts: Texts) -> None:
        if self.kind == "datetime":
            joined = b"".join(texts)
            self.naive |= joined.count(b":") < 3 * joined.count(b"T")  # the third is in the offset
        elif self.kind in ("integer", "number") and not self.floats:
            before, after, finite = digits(texts)
            self.floats = not finite  # only a float has a place for them
            self.before, self.after = max(self.before, before), max(self.after, after)

    @property
    def sql(self) -> str:
        """The SQL type."""
        if self.kind in ("integer", "number"):
            return self._number()
        zone = "TIMESTAMP" if self.naive else "TIMESTAMP WITH TIME ZONE"
        return {"text": "VARCHAR", "boolean": "BOOLEAN", "date": "DATE", "datetime": zone}[self.kind]

    def _number(self) -> str:
        if self.floats or (self.kind == "number" and not self.before + self.after):
            return "DOUBLE" if self.before <= 308 else "VARCHAR"
        if self.kind == "integer" and self.before <= 18:
            return "BIGINT"
        places = max(self.before, 1) + self.after
        return f"DECIMAL({max(places, 18)},{self.after})" if places <= DIGITS else "VARCHAR"
