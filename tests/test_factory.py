"""Putting the app together: nothing is reached for, nothing is shared, and what is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

import webapi
from tests.conftest import BASE
from webapi import create_app, factory
from webapi.errors import ConfigError

NOWHERE = {
    **BASE,
    "DATABASE_URL": "postgresql://127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "MAIL_PORT": 1,
}


def test_an_app_is_made_without_a_database_redis_or_mail_server() -> None:
    app = create_app(NOWHERE)
    assert app.extensions["celery"].conf.broker_url == "redis://127.0.0.1:1/0"
    assert app.test_client().get("/healthz").status_code == 200


def test_nothing_is_written_before_it_is_needed(tmp_path: Path) -> None:
    create_app({**NOWHERE, "STORAGE_URL": str(tmp_path / "files"), "DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"})
    assert list(tmp_path.iterdir()) == []


def test_two_apps_share_no_extension() -> None:
    one, other = create_app(NOWHERE), create_app(NOWHERE)
    shared = [
        name for name in ("celery", "hints", "files", "mail", "kinds") if one.extensions[name] is other.extensions[name]
    ]
    assert shared == []


def test_what_is_given_wins_and_what_is_no_setting_goes_through() -> None:
    app = create_app({**NOWHERE, "PUBLIC_URL": "https://w.example", "ANYTHING": "else"})
    assert (app.config["SESSION_COOKIE_SECURE"], app.config["ANYTHING"]) == (True, "else")


def test_what_is_wrong_is_said_before_anything_is_made() -> None:
    with pytest.raises(ConfigError, match="REDIS_URL: use a redis://, rediss://, sentinel:// or sentinels:// URL"):
        create_app({**NOWHERE, "REDIS_URL": "http://127.0.0.1"})


def test_the_factory_is_a_table_of_contents() -> None:
    source = Path(factory.__file__).read_text("utf-8").partition("def create_app")[2]
    assert not [word for word in ("    if ", "    for ", "    import ", "    try:") if word in source]
    assert webapi.create_app is create_app
