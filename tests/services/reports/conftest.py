"""A PostgreSQL database of a shop and a role that may read it; and what a source gives, walked to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from sqlalchemy import URL, make_url

from webapi.services.reports.databases import fetched

Run = Callable[..., tuple[list[tuple[str, str]], list[tuple[Any, ...]]]]

TABLE = """
CREATE TABLE orders (id bigint PRIMARY KEY, city text, amount numeric(12,2), paid boolean, day date,
                     at timestamptz, facts jsonb, tags text[], weight double precision);
INSERT INTO orders SELECT n, 'Bern', n + 0.25, n % 2 = 0, DATE '2026-10-01' + n::int % 60,
    TIMESTAMPTZ '2026-10-01 00:00+00' + n * interval '1 hour', '{"a": 1.50}', ARRAY['x', 'y'], n / 3.0
    FROM generate_series(1, 3000) n;
"""


@pytest.fixture
def shop(postgres_server: str) -> Iterator[psycopg.Connection[Any]]:
    """The connection of the shop's own administrator."""
    name = f"shop_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f"CREATE ROLE \"{name}\" LOGIN PASSWORD 'secret'")
        with psycopg.connect(postgres_server.replace("/postgres", f"/{name}"), autocommit=True) as shop:
            shop.execute(TABLE)
            shop.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            shop.execute(f'GRANT SELECT ON orders TO "{name}"')
            yield shop
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.execute(f'DROP ROLE "{name}"')


@pytest.fixture
def reader(shop: psycopg.Connection[Any], postgres_server: str) -> URL:
    """Where the role that may only read finds it. The role is called like the database."""
    name = shop.info.dbname
    return make_url(postgres_server.replace("/postgres", f"/{name}")).set(username=name, password="secret")


@pytest.fixture
def place() -> Iterator[Flask]:
    """Sources need an app's configuration and nothing else of it: neither of our databases."""
    app = Flask("sources")
    with app.app_context():
        yield app


@pytest.fixture
def read(place: Flask, reader: URL) -> Run:
    """Columns and rows of a statement over the shop."""
    place.config["REPORT_SOURCES"] = {"shop": reader.render_as_string(hide_password=False)}

    def read(sql: str, **values: Any) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
        with fetched("shop", sql, values, "UTC", lambda: None) as found:
            rows = [tuple(row) for row in found.rows]
        return [(column.name, column.type) for column in found.columns], rows

    return read
