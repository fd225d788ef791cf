"""Blocks of PostgreSQL's texts: no larger than they may be, and left at once."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.waiting import until
from webapi.services.reports import databases
from webapi.services.reports.postgres_blocks import FRAME, MOST
from webapi.services.reports.sources import Limited

pytestmark = pytest.mark.usefixtures("read")


class Enough(Exception):
    """What somebody raises who takes no more."""


def sizes(sql: str) -> list[int]:
    with databases.fetched("shop", sql, {}, "UTC", lambda: None, in_blocks=True) as found:
        return [block.rows for block in found.blocks or ()]


def test_blocks_grow_to_what_they_may_be() -> None:
    found = sizes("SELECT n FROM generate_series(1, 20000) n")
    assert (found[0], max(found), sum(found)) == (50, MOST, 20_000)


def test_large_rows_come_few_at_a_time() -> None:
    assert max(sizes("SELECT repeat('x', 200000) FROM generate_series(1, 150)")[1:]) <= max(50, FRAME // 200_000)


def test_whoever_stops_half_way_ends_the_statement(shop: psycopg.Connection[Any]) -> None:
    sql = "SELECT id, pg_sleep(CASE WHEN id > 100 THEN 600 ELSE 0 END) FROM orders"
    with pytest.raises(Enough), databases.fetched("shop", sql, {}, "UTC", lambda: None, in_blocks=True) as found:
        next(found.blocks or iter(()))
        raise Enough
    running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    until(lambda: shop.execute(running).fetchone() == (0,))


@pytest.mark.parametrize(("most", "rows", "complete"), [(120, 120, False), (50, 50, False), (3000, 3000, True)])
def test_a_report_takes_as_many_rows_as_it_may_and_says_so(most: int, rows: int, complete: bool) -> None:
    with databases.fetched(
        "shop", "SELECT id FROM orders ORDER BY id", {}, "UTC", lambda: None, in_blocks=True
    ) as found:
        limited = Limited(found.rows, found.blocks, most)
        texts = [text for block in limited.blocks() for text in block.columns[0]]
    assert texts == [str(number).encode() for number in range(1, rows + 1)]
    assert (limited.incomplete() is None) == complete
