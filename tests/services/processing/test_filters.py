"""What a filter may be: one expression over a row, however it is dressed up."""

from __future__ import annotations

import pytest

from webapi.errors import Permanent
from webapi.services.processing.filters import check

GOOD = [
    "amount > 0 and city <> ''",
    "amount > 0 -- and nothing else",
    "/* why */ amount > 0",
    "city like 'B%' or city ilike '%x%' or city similar to 'a+'",
    "amount between 1 and 2 and city in ('a', 'b') and not done",
    "case when amount > 1 then true else false end",
    "lower(\"City name\") = 'x; DROP TABLE data'",
    "city = ');--'",
    "city = '(select 1)'",
    "day >= DATE '2024-01-01' and extract(year from day) = 2024",
    "cast(amount as integer) % 2 = 0 and try_cast(city as date) is null",
    "len(list_filter(tags, x -> x = 'a')) > 0",
    "person.name = 'Ann' and tags[1] = 'a'",
    "(amount > 0)",
    "true",
    "regexp_matches(city, '^[A-Z]')",
    "city collate nocase = 'bern'",
]
BAD = [
    "",
    "   ",
    "-- nothing",
    "amount > 0;",
    "amount > 0; DROP TABLE data",
    "true) ; COPY (SELECT 1) TO '/tmp/x' --",
    "true) OR (true",
    "true) UNION SELECT (1",
    "true) UNION ALL SELECT * FROM read_text('/etc/passwd') --",
    "true) GROUP BY ALL --",
    "true) LIMIT (1",
    "true) ORDER BY (1",
    "true) QUALIFY (true",
    "true) WINDOW w AS (ORDER BY 1",
    "true] = [true",
    "true], [true",
    "amount, city",
    "amount > 0 /*",
    "amount > 0 AS x, true",
    "SELECT 1",
    "FROM data",
    "(SELECT true)",
    "amount > (SELECT max(amount) FROM data)",
    "amount IN (SELECT 1)",
    "amount IN (FROM read_csv('/etc/passwd'))",
    "EXISTS (FROM glob('/etc/*'))",
    "exists(select content from read_text('/etc/passwd') where content like 'root%')",
    "amount = ANY (SELECT 1)",
    "[x for x in (SELECT [1])] = []",
    "row_number() OVER () = 1",
    "count(*) OVER () > 1",
    "COLUMNS(*) > 0",
    "COLUMNS('a.*') IS NULL",
    "* IS NULL",
    "data.* IS NULL",
    "amount > $1",
    "amount > ?",
    "amount > $name",
    "random() < 0.5",
    "RANDOM() < 0.5",
    '"random"() < 0.5',
    "main.random() < 0.5",
    "case when list_sum([random()]) > 0 then true end",
    "day > now()",
    "day > current_date",
    "day > today()",
    "day > current_timestamp",
    "uuid() = city",
    "current_setting('temp_directory') like '%x%'",
    "getvariable('x') is null",
    "sleep_ms(100000) is null",
    "write_log('x') is null",
    "nextval('s') = 1",
    "error('x')",
    "a\u0000b = 1",
    "amount > 0\u2028and true",
    "a" * 2_001,
    "not " * 490 + "true",
    "'unclosed",
    '"unclosed',
    "$$unclosed",
    "1 ~ ",
    "PIVOT data ON city",
    "SET memory_limit = '1TB'",
]


@pytest.mark.parametrize("text", GOOD)
def test_an_expression_over_a_row_is_a_filter(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Permanent, match=r"^The filter .*\.$"):
        check(text)


def test_a_column_may_be_called_like_a_function_without_brackets() -> None:
    check("user = 'ann'", ["User"])
    with pytest.raises(Permanent, match="cannot use user"):
        check("user = 'ann'", ["name"])
