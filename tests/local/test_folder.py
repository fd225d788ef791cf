"""What a run keeps in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapi.config import RUN_FILE, Settings, from_env
from webapi.errors import ConfigError
from webapi.local.folder import alone_in, secret_key, write_settings


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with alone_in(folder), pytest.raises(ConfigError, match=r"There is a run in .*var already"), alone_in(folder):
        pass
    with alone_in(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"
    first = secret_key(path)
    assert len(first) == 64
    assert secret_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_terminal_reads_the_settings_that_a_run_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    RUN_FILE.parent.mkdir()
    settings = {
        "SECRET_KEY": 'it\'s a "key" with \\ and # in it',
        "REDIS_URL": "redis://:secret@127.0.0.1:1234/0",
        "STORAGE_URL": str(tmp_path / "my files"),
        "SECRET_KEY_FALLBACKS": '["one","two"]',
        "MAIL_PORT": "2525",
    }
    write_settings(RUN_FILE, settings)
    assert RUN_FILE.stat().st_mode & 0o777 == 0o600
    read = from_env()
    assert {name: read[name] for name in settings} == {
        **settings,
        "SECRET_KEY_FALLBACKS": ["one", "two"],
        "MAIL_PORT": 2525,
    }
