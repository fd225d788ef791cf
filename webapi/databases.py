"""What a DATABASE_URL means to SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# How long a server may be silent: milliseconds where it owes an answer, and seconds where it owes none.
SILENCE = {"tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


def with_driver(url: str) -> str:
    """The URL with the driver that we ship, psycopg 3. Raises ValueError for a database that we do not know."""
    scheme, _, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:  # hosts hand out `postgres://`, which SQLAlchemy refuses
        return f"postgresql+psycopg://{rest}"
    if scheme in {"sqlite", "postgresql+psycopg"}:
        return url
    raise ValueError("use a postgresql:// or a sqlite:/// URL")


def absolute(url: str) -> str:
    """A relative SQLite path is relative to the working directory, as in every other tool."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix:
        return url
    return prefix + str(Path(url.removeprefix(prefix)).resolve())


def sources(given: Mapping[str, str]) -> dict[str, str]:
    """The databases of REPORT_SOURCES, with drivers and whole paths. Raises ValueError."""
    if "data" in given:
        raise ValueError('"data" is what datasets are called; give the database another name')
    return {name: absolute(with_driver(url)) for name, url in given.items()}


def engine_options(url: str) -> dict[str, Any]:
    """A connection that cannot be had, or whose other side answers no more, is reported within seconds.

    Without `tcp_user_timeout` and keepalives (libpq, "Parameter Key Words") TCP would wait for a quarter of an hour for
    a server whose machine is gone. There are connections enough for the WEB_THREADS requests that run at once, and some
    that others do beside them.
    """
    if url.startswith("sqlite"):
        return {}
    return {"max_overflow": 15, "pool_timeout": 5, "connect_args": {"connect_timeout": 3, **SILENCE}}
