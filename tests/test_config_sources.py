"""Where settings come from, which of them wins, and that a refusal repeats no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BASE
from webapi import create_app
from webapi.config import Settings, from_env
from webapi.errors import ConfigError


@pytest.fixture(autouse=True)
def _an_empty_folder_and_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def test_on_nothing_it_is_a_development_on_this_machine(tmp_path: Path) -> None:
    config = from_env()
    assert (config["WEBAPI_ENV"], config["REDIS_URL"]) == ("development", "redis://127.0.0.1:6379/0")
    assert config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path / 'var' / 'webapi.db'}"
    assert config["STORAGE_URL"] == str(tmp_path / "var" / "files")


@pytest.mark.parametrize("url", ["sqlite:///data.db", "sqlite:///./data.db", "sqlite:///sub/../data.db"])
def test_a_relative_path_of_sqlite_is_relative_to_the_folder_one_is_in(url: str, tmp_path: Path) -> None:
    assert from_env({"DATABASE_URL": url})["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path / 'data.db'}"


@pytest.mark.parametrize("url", ["sqlite:////srv/data.db", "sqlite:///", "sqlite://"])
def test_another_path_of_sqlite_stays_as_it_is(url: str) -> None:
    assert from_env({"DATABASE_URL": url})["SQLALCHEMY_DATABASE_URI"] == url


def test_what_is_given_wins_over_the_environment_and_that_over_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / ".env").write_text("PORT=1001\nMAIL_PORT=1001\nLEASE_SECONDS=1001\nWEB_CONCURRENCY=1001\n")
    (tmp_path / "var" / "run.env").write_text("PORT=1002\nMAIL_PORT=1002\nLEASE_SECONDS=1002\n")
    monkeypatch.setenv("PORT", "1003")
    monkeypatch.setenv("MAIL_PORT", "1003")
    config = from_env({"PORT": 1004})
    names = ("PORT", "MAIL_PORT", "LEASE_SECONDS", "WEB_CONCURRENCY")
    assert [config[name] for name in names] == [1004, 1003, 1002, 1001]


def test_a_setting_that_is_empty_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_USERNAME", "")
    monkeypatch.setenv("PORT", "")
    assert (from_env()["MAIL_USERNAME"], from_env()["PORT"]) == (None, 5000)


def test_a_secret_from_a_file_wins_and_loses_one_line_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("pass word\n\n")
    monkeypatch.setenv("MAIL_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("MAIL_PASSWORD", "another")
    assert from_env()["MAIL_PASSWORD"] == "pass word\n"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"SECRET_KEY_FILE: .*gone cannot be read: No such file or directory\."):
        from_env()


def test_the_keys_before_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", '["one", "two"]')
    assert from_env()["SECRET_KEY_FALLBACKS"] == ["one", "two"]


def test_a_list_may_come_from_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").write_text('["one", "two"]\n')
    monkeypatch.setenv("SECRET_KEY_FALLBACKS_FILE", str(tmp_path / "keys"))
    assert from_env()["SECRET_KEY_FALLBACKS"] == ["one", "two"]


@pytest.mark.parametrize("file", [True, False])
def test_a_list_that_is_no_json_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: bool
) -> None:
    (tmp_path / "keys").write_text("canary, canary")
    monkeypatch.setenv("SECRET_KEY_FALLBACKS" + "_FILE" * file, str(tmp_path / "keys") if file else "canary")
    with pytest.raises(ConfigError, match=r"SECRET_KEY_FALLBACKS.* JSON") as refused:
        from_env()
    assert "canary" not in str(refused.value)


SAFE: dict[str, Any] = {
    "WEBAPI_ENV": "production",
    "SECRET_KEY": "k" * 64,
    "DATABASE_URL": "postgresql://db/webapi",
    "REDIS_URL": "rediss://:password@redis.example:6379/0",
}
SECRET = "canary-of-a-secret"


@pytest.mark.parametrize(
    "change",
    [
        {"SECRET_KEY": SECRET},
        {"REDIS_URL": f"amqp://:{SECRET}@mq.example"},
        {"DATABASE_URL": f"mysql://u:{SECRET}@db/x"},
        {"MAIL_PASSWORD": SECRET, "PORT": "x"},
    ],
)
def test_a_refusal_repeats_no_secret(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refused:
        from_env(SAFE | change)
    assert SECRET not in f"{refused.value!r} {refused.value.__cause__!r}"


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"SECRET_KEY": "k" * 31}, True),
        ({"SECRET_KEY": "k" * 32}, False),
        ({"REDIS_URL": "redis://redis.example"}, True),
        ({"REDIS_URL": "redis://user@redis.example"}, True),
        ({"REDIS_URL": "redis://:@redis.example"}, True),
        ({"REDIS_URL": "redis://127.0.0.1:6379"}, False),
        ({"REDIS_URL": "redis://[::1]:6379"}, False),
        ({"REDIS_URL": "redis://localhost"}, False),
        ({"REDIS_URL": "redis://127.0.0.1.example"}, True),
        ({"REDIS_URL": "rediss+cluster://:password@redis.example"}, True),
        ({"LEASE_SECONDS": 1}, True),
        ({"MAX_CONTENT_LENGTH": 0}, True),
    ],
)
def test_the_edge_of_what_production_takes(change: dict[str, Any], refused: bool) -> None:
    if refused:
        with pytest.raises(ConfigError):
            from_env(SAFE | change)
    else:
        assert from_env(SAFE | change)["WEBAPI_ENV"] == "production"


def test_production_does_not_start_with_the_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(ConfigError, match="DEBUG"):
        create_app({**BASE, **SAFE})


def test_production_takes_no_weak_key_of_the_past_either() -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY_FALLBACKS"):
        from_env(SAFE | {"SECRET_KEY_FALLBACKS": ["short"]})
