"""The file by which a probe sees that a worker lives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from webapi.queue.worker import WorkerRelay

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
AWAY = "postgresql://webapi@127.0.0.1:1/none"


def test_it_says_ok_after_a_whole_pass(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    relay = WorkerRelay(make_app(ALIVE_PATH=str(alive)), 1, ["default"])
    relay.run_once()
    assert alive.read_text() == ""
    relay.run_once()
    assert alive.read_text() == "ok\n"


def test_it_is_written_anew_and_empty_while_the_database_is_away(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    relay = WorkerRelay(make_app(ALIVE_PATH=str(alive), DATABASE_URL=AWAY), 1, ["default"])
    alive.write_text("ok\n")
    with pytest.raises(OperationalError):
        relay.run_once()
    assert alive.read_text() == ""


def test_one_that_cannot_be_written_stops_nothing(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    WorkerRelay(make_app(ALIVE_PATH=str(tmp_path / "nowhere" / "alive")), 1, ["default"]).run_once()
