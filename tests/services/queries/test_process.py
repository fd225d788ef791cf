"""The child as a process: what a statement names, and who is asked while it runs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.services.queries.conftest import LIMITS
from webapi.errors import Invalid
from webapi.services.queries.run import named, query


def test_placeholders_are_found_where_the_parser_finds_them() -> None:
    sql = "SELECT $a, '$b', $$ $c $$, $t$ $d $t$, \"$e\" -- $f\n /* $g */ FROM x WHERE y = $from_date"
    assert named(sql).parameters == {"a", "from_date"}
    assert named("FROM x").parameters == set()


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1", set()),
        ('FROM a JOIN B ON true WHERE x IN (SELECT y FROM "we ird") AND $p', {"a", "B", "we ird"}),
        ("WITH x AS (FROM q) SELECT * FROM x, (FROM z)", {"q", "z"}),
        ("SUMMARIZE sales", {"sales"}),
        ("PIVOT sales ON city IN ('a') USING sum(x)", {"sales"}),
        ("FROM '/etc/passwd'", {"/etc/passwd"}),
        ("SELECT 'from b' AS \"cte_map\", {'type': 'BASE_TABLE', 'table_name': 'c', 'cte_map': 1} FROM a", {"a"}),
    ],
)
def test_tables_are_found_where_the_parser_finds_them(sql: str, tables: set[str]) -> None:
    assert named(sql).tables == tables


@pytest.mark.parametrize("sql", ["", "SELECT 1; SELECT 2", "DROP TABLE x", "SELECT", "SELECT " + "(" * 100_000])
def test_what_is_not_one_select_names_nothing(sql: str) -> None:
    with pytest.raises(Invalid) as caught:
        named(sql)
    assert caught.value.faults[0].pointer == "/sql"
    assert caught.value.faults[0].message.endswith(".")


class Enough(Exception):
    """What somebody who waits may raise."""


def test_a_query_that_gives_no_rows_yet_is_left_within_a_second(folder: Path) -> None:
    asked: list[float] = []

    def tick() -> None:
        asked.append(time.monotonic())
        if len(asked) == 2:
            raise Enough

    endless = "SELECT sum(a.range * b.range % 7) FROM range(1000000) a, range(1000000) b"
    with pytest.raises(Enough), query(endless, {}, {}, limits=LIMITS, folder=folder, tick=tick) as result:
        list(result.rows)
    assert asked[1] - asked[0] < 1
