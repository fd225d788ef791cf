"""Where a report's rows come from: datasets and the owner's own work in one locked process, or a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app

from webapi.models import ReportVersion
from webapi.services import datasets
from webapi.services.formats import Block, Column, Row
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits, Source
from webapi.services.reports import data_texts, databases, own
from webapi.services.reports.definition import DATA

SECONDS = 25 * 60.0  # that somebody waits for the rows of one statement
MEMORY = 384 << 20  # bytes, of a statement over datasets
TEMPORARY = 8 << 30  # bytes on the disk, of the same


@dataclass
class Opened:
    """Columns, and rows that can be walked once, in blocks where there are any; after their end `incomplete` says why
    there is no more, or None.
    """

    columns: list[Column]
    rows: Iterator[Row]
    incomplete: Callable[[], str | None]
    blocks: Iterator[Block] | None = None


@dataclass(frozen=True)
class Asked:
    """A version of a report with the values of its placeholders, for one owner and in one time zone.

    With `newest`, only so many of the owner's newest jobs are looked at.
    """

    owner_id: UUID
    version: ReportVersion
    values: Mapping[str, Any]
    timezone: str
    newest: int | None = None


@contextmanager
def opened(
    asked: Asked, folder: Path, tick: Callable[[], None], most: int | None = None, *, in_blocks: bool = False
) -> Iterator[Opened]:
    """The rows, at most `most`. `tick` is called twice a second while somebody waits for them, and may raise.

    With `in_blocks`, whoever asks takes blocks where the source can give them.

    Raises Permanent when the source or the statement does not work, and Transient when it may later; Snooze in a job
    while a dataset is being inspected.
    """
    most = most or current_app.config["REPORT_ROWS"]
    version = asked.version
    if version.source == DATA:
        with _data(asked, folder, tick, most, in_blocks) as found:
            yield found
        return
    running = databases.fetched(version.source, version.sql, asked.values, asked.timezone, tick, in_blocks=in_blocks)
    with running as fetched:
        limited = Limited(fetched.rows, fetched.blocks, most)
        blocks = limited.blocks() if fetched.blocks else None
        yield Opened(fetched.columns, iter(limited), limited.incomplete, blocks)


@contextmanager
def _data(asked: Asked, folder: Path, tick: Callable[[], None], most: int, in_blocks: bool) -> Iterator[Opened]:
    tables = _tables(asked, folder, tick)
    limits = Limits(memory_bytes=MEMORY, seconds=SECONDS, rows=most, temp_bytes=TEMPORARY)
    running = query(
        asked.version.sql,
        tables,
        asked.values,
        limits=limits,
        folder=folder,
        tick=tick,
        timezone=asked.timezone,
        texts=in_blocks,
    )
    with running as result:
        columns = data_texts.columns_of(result)
        blocks = data_texts.blocks(columns, result.blocks) if result.blocks else None
        yield Opened(columns, result.rows, lambda: _truncated(most) if result.truncated else None, blocks)


def _tables(asked: Asked, folder: Path, tick: Callable[[], None]) -> dict[str, Source]:
    pairs = asked.version.datasets
    tables = {
        name: own.export(asked.owner_id, name, folder, tick, asked.newest) for name, dataset in pairs if not dataset
    }
    named = [(name, UUID(dataset)) for name, dataset in pairs if dataset]
    return tables | datasets.sources(asked.owner_id, named, folder)


class Limited:
    def __init__(self, rows: Iterator[Row], blocks: Iterator[Block] | None, most: int) -> None:
        self._rows, self._blocks, self._most, self._more = rows, blocks or iter(()), most, False

    def __iter__(self) -> Iterator[Row]:
        yield from islice(self._rows, self._most)
        self._more = next(self._rows, None) is not None

    def blocks(self) -> Iterator[Block]:
        left = self._most
        for block in self._blocks:
            self._more = block.rows > left
            if not left:
                return
            yield block.first(left) if self._more else block
            left -= min(left, block.rows)

    def incomplete(self) -> str | None:
        return _truncated(self._most) if self._more else None


def _truncated(most: int) -> str:
    return f"truncated at {most:,} rows because a report may have no more"
