"""Where the parts of a system are: what is given wins, the rest is chosen."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from webapi.config import Settings
from webapi.errors import ConfigError
from webapi.local import ports
from webapi.local.layout import given_settings, lay_out, project_folder


@pytest.fixture(autouse=True)
def _an_environment_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_with_nothing_given_every_part_is_ours(tmp_path: Path) -> None:
    assert given_settings() == {}
    layout = lay_out(tmp_path / "var", {}, print)
    assert layout.broker is not None
    assert layout.chosen == {
        "WEBAPI_ENV": "development",
        "SECRET_KEY": (tmp_path / "var/secret-key").read_text(),
        "DATABASE_URL": f"sqlite:///{tmp_path}/var/webapi.db",
        "STORAGE_URL": f"{tmp_path}/var/files",
        "REDIS_URL": layout.broker.url,
        "PUBLIC_URL": f"http://127.0.0.1:{layout.port}",
        "LIVE_WATCHERS": "200",
        "PORT": str(layout.port),
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(layout.mail_port),
        "INBOX_PATH": f"{tmp_path}/var/inbox",
    }


def test_what_is_given_wins_even_where_it_equals_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_SERVER", "127.0.0.1")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://localhost/mine\n")
    layout = lay_out(tmp_path / "var", given_settings(), print)
    assert (layout.broker, layout.mail_port) == (None, None)
    assert not {"MAIL_SERVER", "MAIL_PORT", "INBOX_PATH", "REDIS_URL", "DATABASE_URL"} & set(layout.chosen)
    assert layout.settings()["DATABASE_URL"] == "postgresql+psycopg://localhost/mine"


def test_the_settings_of_a_layout_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_USE_TLS", "yes")
    monkeypatch.setenv("SECRET_KEY_FALLBACKS", '["one"]')
    settings = lay_out(tmp_path / "var", given_settings(), print).settings()
    assert (settings["MAIL_USE_TLS"], settings["SECRET_KEY_FALLBACKS"]) == ("true", '["one"]')


def test_a_port_that_is_taken_is_passed_over_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    with socket.create_server((ports.HOST, 0)) as taken:
        number = taken.getsockname()[1]
        layout = lay_out(tmp_path / "var", {"PORT": number}, said.append)
    assert layout.port > number
    assert said == [f"Port {number} is taken; using {layout.port}."]


def test_a_production_is_not_brought_up_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBAPI_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "x" * 64)
    with pytest.raises(ConfigError, match="for development"):
        given_settings()


def test_outside_the_project_there_is_nothing_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no wsgi\.py"):
        project_folder()
