"""What the databases that reports read have in common."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any, Protocol

from webapi.services.formats import Block, Column, Row


class Unreachable(Exception):
    """The database does not answer."""


class Failed(Exception):
    """The database, or a rule of ours, refuses the statement; in a sentence."""


class Cursor(Protocol):
    """One statement. Everything but `cancel` is called by one thread; what fails raises Failed."""

    @property
    def gives_blocks(self) -> bool:
        """Whether `blocks` can be called instead of `fetch`."""

    def execute(self) -> None:
        """Begin. Afterwards there are names, types and rows."""

    def fetch(self, count: int) -> list[Row]:
        """At most so many of the next rows; none at the end."""

    def blocks(self, tick: Callable[[], None]) -> Generator[Block, None, None]:
        """All rows. `tick` is called twice a second while they are waited for, and may raise."""

    def names(self) -> list[str]:
        """The columns, as the statement calls them."""

    def columns(self) -> list[Column] | None:
        """The same with their types, if the database knows them before it has seen the rows."""

    def cancel(self) -> None:
        """End what is running, from another thread."""


def told(value: Any) -> Any:
    """A value that no column type stands for, as text: JSON for what is nested, hexadecimal digits for bytes."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.hex() if isinstance(value, bytes) else str(value)
