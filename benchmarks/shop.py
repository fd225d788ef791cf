"""A shop's orders, alike in PostgreSQL and as a dataset, and what libraries alone make files of them with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb
import psycopg
from flask import Flask
from sqlalchemy import insert

from benchmarks.writers import COLUMNS, SQL, typst_straight, xlsxwriter_straight
from webapi.models import Dataset
from webapi.models.transaction import writing

CREATE = """
CREATE TABLE orders AS SELECT n AS id, 'Customer number ' || n % 50000 AS customer,
    (ARRAY['Germany','France','Italy','Spain','Poland','Sweden','Norway'])[1 + n % 7] AS country,
    ((n * 7919 % 900000 - 50000) / 100.0)::numeric(18, 2) AS amount, n / 7.0::double precision - 3 AS weight,
    n % 3 = 0 AS paid, DATE '2024-01-01' + (n % 700)::int AS day,
    TIMESTAMPTZ '2024-01-01 00:00+00' + n * interval '37 s' AS at
FROM generate_series(0::bigint, {count} - 1) AS n
"""
TOTALS = ("id", "amount", "weight")
BATCH = 2000


def fill(server: str, count: int) -> str:
    """Make the orders in a database of their own; the URL for a role that may read them."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reads'")
    with psycopg.connect(server.rpartition("/")[0] + "/shop", autocommit=True) as shop:
        shop.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        shop.execute(CREATE.format(count=count))
        shop.execute("GRANT SELECT ON orders TO reader")
        shop.execute("VACUUM ANALYZE orders")
    host = server.rpartition("@")[2].rpartition("/")[0]
    return f"postgresql://reader:reads@{host}/shop"


def totals(url: str, count: int) -> dict[str, Any]:
    """The sums as PostgreSQL counts them, of the first orders."""
    sums = ", ".join(f"sum({name}::numeric)" for name in TOTALS)
    with psycopg.connect(url) as shop:
        row = shop.execute(f"SELECT {sums} FROM orders WHERE id < {count}").fetchone()  # noqa: S608 - constants
    return dict(zip(TOTALS, row or (), strict=True))


def as_parquet(url: str, count: int, path: Path) -> None:
    """The same rows as a file."""
    staged = path.with_suffix(".csv")
    copy_csv(url, count, staged)
    types = ", ".join(f"'{column.name}': '{kind}'" for column, kind in zip(COLUMNS, SQL, strict=True))
    with duckdb.connect() as database:
        database.execute(f"COPY (FROM read_csv('{staged}', columns={{{types}}})) TO '{path}' (FORMAT parquet)")
    staged.unlink()


def add_dataset(app: Flask, owner_id: UUID, name: str, path: Path) -> None:
    """Hand the file in as a dataset that is ready."""
    with path.open("rb") as file:
        stored = app.extensions["files"].put(file)
    facts = {"file_name": path.name, "format": "parquet", "sha256": stored.sha256, "size": stored.size}
    with writing() as session:
        session.execute(
            insert(Dataset).values(
                id=uuid4(), owner_id=owner_id, name=name, state="ready", table_sha256=stored.sha256, **facts
            )
        )


def copy_csv(url: str, count: int, path: Path) -> None:
    """PostgreSQL's COPY."""
    with psycopg.connect(url) as shop, path.open("wb") as file:
        asked = f"COPY (SELECT * FROM orders WHERE id < {count}) TO STDOUT (FORMAT csv, HEADER)"  # noqa: S608 - a number
        with shop.cursor().copy(asked) as rows:
            for block in rows:
                file.write(block)


def _cursor(url: str, count: int) -> Any:
    shop = psycopg.connect(url)
    cursor = shop.cursor(name="straight")
    cursor.itersize = BATCH
    return cursor.execute(f"SELECT * FROM orders WHERE id < {count}")  # noqa: S608 - a number


def _parquet_rows(source: str) -> Any:
    found = duckdb.connect().execute(f"FROM '{source}'")
    while rows := found.fetchmany(BATCH):
        yield from rows


def _duckdb_copy(options: str) -> Callable[[str, int, Path], None]:
    def copy(source: str, count: int, path: Path) -> None:
        duckdb.connect().execute(f"COPY (FROM '{source}' LIMIT {count}) TO '{path}' ({options})")

    return copy


STRAIGHT: dict[tuple[str, str], tuple[str, Callable[[str, int, Path], None]]] = {
    ("shop", "csv"): ("COPY TO STDOUT", copy_csv),
    ("shop", "parquet"): ("COPY, then DuckDB's COPY", as_parquet),
    ("shop", "xlsx"): ("cursor, XlsxWriter", lambda url, count, path: xlsxwriter_straight(path, _cursor(url, count))),
    ("shop", "pdf"): ("cursor, Typst, one table", lambda url, count, path: typst_straight(path, _cursor(url, count))),
    ("sales", "csv"): ("DuckDB's COPY", _duckdb_copy("FORMAT csv, HEADER")),
    ("sales", "parquet"): ("DuckDB's COPY", _duckdb_copy("FORMAT parquet, COMPRESSION zstd")),
    ("sales", "xlsx"): ("DuckDB, XlsxWriter", lambda source, _, path: xlsxwriter_straight(path, _parquet_rows(source))),
}


def main(source: str, kind: str, where: str, count: int, path: Path) -> None:
    began = time.monotonic()
    STRAIGHT[source, kind][1](where, count, path)
    print(time.monotonic() - began)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
