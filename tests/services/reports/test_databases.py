"""Statements over databases: left at once when asked, and what they name."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import URL

from tests.processes import ROOT, RealWorker, settings_of
from tests.services.reports.conftest import Run
from tests.waiting import until
from webapi.config import environment
from webapi.errors import ConfigError, Permanent
from webapi.services.doctor import examine
from webapi.services.reports import databases
from webapi.services.system import parts


class Enough(Exception):
    """What somebody who waits may raise."""


@pytest.mark.usefixtures("read")
@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("sql", ["SELECT pg_sleep(600)", "SELECT count(*) FROM orders a, orders b, orders c, orders d"])
def test_a_statement_that_takes_long_is_left_within_two_seconds(
    shop: psycopg.Connection[Any], sql: str, in_blocks: bool
) -> None:
    asked: list[float] = []

    def tick() -> None:
        asked.append(time.monotonic())
        if len(asked) == 2:
            raise Enough

    with pytest.raises(Enough), databases.fetched("shop", sql, {}, "UTC", tick, in_blocks=in_blocks) as found:
        next(found.blocks or iter(()), None)
    assert time.monotonic() - asked[1] < 2
    running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    until(lambda: shop.execute(running).fetchone() == (0,))
    assert not any(thread.name == "report source" for thread in threading.enumerate())


@pytest.mark.usefixtures("read")
def test_whoever_stops_reading_half_way_ends_the_statement() -> None:
    with pytest.raises(Enough), databases.fetched("shop", "SELECT * FROM orders", {}, "UTC", lambda: None) as found:
        next(found.rows)
        raise Enough
    assert not any(thread.name == "report source" for thread in threading.enumerate())


def test_an_error_among_the_rows_is_told(read: Run) -> None:
    with pytest.raises(Permanent, match=r"^The statement failed: division by zero\.$"):
        read("SELECT 1 / (2500 - id) FROM orders ORDER BY id")


def test_placeholders_are_not_casts_and_not_what_is_escaped() -> None:
    assert databases.placeholders("SELECT a::text, '\\:b', CAST(:c AS text)") == {"c"}


def test_a_day_begins_in_the_time_zone(read: Run) -> None:
    sql = "SELECT count(*) FROM orders WHERE at < CAST(:day AS date)"
    counts = {}
    for zone in ("UTC", "Europe/Zurich"):
        with databases.fetched("shop", sql, {"day": "2026-10-02"}, zone, lambda: None) as found:
            counts[zone] = next(found.rows)[0]
    assert counts == {"UTC": 23, "Europe/Zurich": 21}


def test_a_source_that_is_configured_no_more_is_said_to_be(place: Flask) -> None:
    place.config["REPORT_SOURCES"] = {}
    with pytest.raises(Permanent, match="REPORT_SOURCES does not name it"):
        databases.url_of("gone")


def test_a_worker_does_not_start_with_a_source_that_can_be_written(
    make_app: Callable[..., Flask], shop: psycopg.Connection[Any], reader: URL, tmp_path: Path
) -> None:
    shop.execute(f'GRANT DELETE ON orders TO "{shop.info.dbname}"')
    app = make_app(REPORT_SOURCES={"shop": reader.render_as_string(hide_password=False)})
    with app.app_context():
        assert [check.verdict for check in examine() if check.part == "source shop"] == ["bad"]
        with pytest.raises(ConfigError):
            databases.check_all()
    command = RealWorker(app, tmp_path / "unused.log", queues="reports").command
    ended = subprocess.run(
        command, cwd=ROOT, env=environment(settings_of(app)), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "REPORT_SOURCES: the role of 'shop' may write to orders. Give it one that may SELECT" in ended.stderr
    shop.execute(f'REVOKE DELETE ON orders FROM "{shop.info.dbname}"')
    with app.app_context():
        databases.check_all()
        assert [check.verdict for check in examine() if check.part == "source shop"] == ["ok"]


def test_a_source_that_cannot_be_asked_is_named_with_what_is_wrong(place: Flask, reader: URL) -> None:
    wrong = reader.update_query_dict({"no_such_option": "1"}).render_as_string(hide_password=False)
    place.config["REPORT_SOURCES"] = {"shop": wrong}
    with pytest.raises(ConfigError, match="'shop' cannot be used: invalid"):
        databases.check_all()
    assert [(check.part, check.verdict) for check in parts.sources()] == [("source shop", "bad")]


def test_a_source_that_is_away_keeps_no_worker_from_starting(place: Flask) -> None:
    place.config["REPORT_SOURCES"] = {"shop": "postgresql://nobody@127.0.0.1:1/shop"}
    databases.check_all()
