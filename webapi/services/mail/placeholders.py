"""Logic-less text: `{{first_name}}` stands for a value, and nothing else means anything.

What is filled in is never read again, so a value that holds `{{…}}` stays what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

PLACE = re.compile(r"\{\{[ \t]*([A-Za-z][A-Za-z0-9_]{0,62})[ \t]*\}\}")
BRACES = re.compile(r"\{\{|\}\}")
LINK = re.compile(
    r"""\b(?:href|src|action|background|poster)\s*=\s*(?:["']\s*)?\{\{[ \t]*([A-Za-z]\w*)[ \t]*\}\}""", re.IGNORECASE
)
SAFE_LINK = re.compile(r"(https?://|mailto:|tel:)", re.IGNORECASE)
LARGEST = 1_000_000  # characters of one text with its values
NO_NAME = re.compile(r"[^a-z0-9]+")


class Missing(ValueError):
    """A placeholder has no value. `name` is the placeholder's."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no value for {{{{{name}}}}}")


@dataclass(frozen=True)
class Text:
    """A text with places in it; a `literal` one has none.

    Raises ValueError with a sentence for braces that are no place.
    """

    source: str
    literal: bool = False

    def __post_init__(self) -> None:
        if self.literal:
            return
        stray = BRACES.search(PLACE.sub("", self.source))
        if stray:
            at = " ".join(self.source[max(0, self.source.find(stray[0])) :][:30].split())
            raise ValueError(f"{at!r} is no placeholder: write {{{{name}}}} with letters, digits and underscores")

    @cached_property
    def _parts(self) -> list[str]:
        """Literal and name in turn, beginning and ending with a literal."""
        return [self.source] if self.literal else PLACE.split(self.source)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the places, in lower case, each once, in the order in which they come."""
        return tuple(dict.fromkeys(name.lower() for name in self._parts[1::2]))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The names of the places at which a link begins: their values must be links."""
        return () if self.literal else tuple(dict.fromkeys(name.lower() for name in LINK.findall(self.source)))

    def fill(self, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
        """The text with its values, each escaped. Raises Missing, ValueError when it is too long."""
        filled: dict[str, str] = {}
        for name in self.names:
            if name not in values:
                raise Missing(name)
            filled[name] = escape(values[name])
        parts = list(self._parts)
        parts[1::2] = [filled[name.lower()] for name in parts[1::2]]
        if sum(map(len, parts)) > LARGEST:  # before it is put together: it could be much too long
            raise ValueError(f"the mail would be longer than {LARGEST:,} characters")
        return "".join(parts)


def check_link(name: str, value: str) -> None:
    """Raises ValueError unless the value may stand where a link begins: a script may not."""
    if not SAFE_LINK.match(value):
        raise ValueError(f"{name} begins a link: its value must begin with https://, http://, mailto: or tel:")


def as_name(column: str) -> str:
    """The name by which a placeholder means a column: `First name` is `first_name`."""
    return NO_NAME.sub("_", column.strip().lower()).strip("_")
