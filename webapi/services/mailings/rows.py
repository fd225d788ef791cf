"""The rows of a mailing's file: what each must hold, and what in one looks like a mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from webapi.errors import Invalid
from webapi.services import addresses
from webapi.services.mail.letters import UNSUBSCRIBE, Prepared
from webapi.services.mail.placeholders import Missing, as_name
from webapi.services.tables.sheets import Row

ADDRESS_COLUMNS = ("email", "e_mail", "email_address", "mail", "recipient", "to", "address")
NOTHING = re.compile(
    r"(null|none|nil|nan|n/?a|undefined|#(n/a|ref!|value!|name\?|div/0!|null!|num!)|-+|\?+)", re.IGNORECASE
)
GARBLED = re.compile("\ufffd|Ã[\u0080-\u00bf©¤¶¼Ÿ„–œ]|â€|Â[\u0080-\u00bf]")
MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|\{\{|\}\}|&[a-z]+;")
LOOKALIKES = {
    "gmial.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.con": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmail.con": "hotmail.com",
    "outlok.com": "outlook.com",
    "yaho.com": "yahoo.com",
    "yahoo.con": "yahoo.com",
}
LONG = 200  # characters of a value; names and sums are shorter


@dataclass(frozen=True)
class Checked:
    """One row that can be mailed. `doubts` are sentences about what a person should look at."""

    line: int
    address: str
    values: dict[str, str]
    length: int
    doubts: tuple[str, ...] = ()


@dataclass
class Reader:
    """Reads the rows of one file for one letter. It remembers the addresses that it has seen."""

    letter: Prepared
    columns: Sequence[str]
    address_column: str | None = None
    _lines: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {as_name(column): column for column in self.columns}
        wanted = (as_name(self.address_column),) if self.address_column else ADDRESS_COLUMNS
        found = [self._names[name] for name in wanted if name in self._names]
        if not found:
            what = f"no column {self.address_column!r}" if self.address_column else "no column 'email'"
            raise Invalid(f"The file has {what}. Its columns are: {', '.join(self.columns)}.")
        self._address = found[0]
        missing = [name for name in self.letter.names if name not in self._names]
        if missing:
            raise Invalid(
                f"The template needs {', '.join(missing)}, and the file has no such column."
                f" Its columns are: {', '.join(self.columns)}."
            )

    def read(self, row: Row) -> Checked | str:
        """The row, or the sentence that says what is wrong with it."""
        if row.fault:
            return row.fault
        given = row.values.get(self._address, "")
        if not given:
            return f"The column {self._address} is empty."
        try:
            address = addresses.normal(given)
        except ValueError as error:
            return f"{given[:100]}: {error}"
        first = self._lines.setdefault(address.lower(), row.line)
        if first != row.line:
            return f"{address} stands on line {first} already."
        return self._filled(row.line, address, {name: row.values[self._names[name]] for name in self.letter.names})

    def _filled(self, line: int, address: str, values: dict[str, str]) -> Checked | str:
        for name, value in values.items():
            if not value:
                return f"{self._names[name]} is empty, and the template needs it."
        try:
            said = self.letter.fill({**values, UNSUBSCRIBE: "https://unsubscribe.invalid"})
        except Missing as error:
            return f"There is no value for {{{{{error.name}}}}}."
        except ValueError as error:
            return f"{str(error)[:1].upper()}{str(error)[1:]}."
        return Checked(line, address, values, len(said.text), tuple(_doubts(address, values)))


def _doubts(address: str, values: dict[str, str]) -> list[str]:
    domain = address.rpartition("@")[2]
    doubts = [f"Did you mean {LOOKALIKES[domain]}?"] if domain in LOOKALIKES else []
    for name, value in values.items():
        if NOTHING.fullmatch(value):
            doubts.append(f"{name} is {value!r}, which looks like no value.")
        elif GARBLED.search(value):
            doubts.append(f"{name} looks like text that was read with the wrong encoding.")
        elif MARKUP.search(value):
            doubts.append(f"{name} holds markup, which the reader will see as it is.")
        elif len(value) > LONG:
            doubts.append(f"{name} is {len(value)} characters long.")
    return doubts
