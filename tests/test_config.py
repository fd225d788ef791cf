"""The environment is read once, strictly, and production refuses what is not safe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from webapi.config import Settings, from_env
from webapi.errors import ConfigError

SAFE = {
    "WEBAPI_ENV": "production",
    "SECRET_KEY": "k" * 64,
    "DATABASE_URL": "postgresql://db/webapi",
    "REDIS_URL": "rediss://:password@redis.example:6379/0",
}


def test_a_safe_production_is_taken() -> None:
    assert from_env(SAFE)["WEBAPI_ENV"] == "production"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "development-only-key-never-use-it-on-a-reachable-host"}, "SECRET_KEY"),
        ({"REDIS_URL": "redis://redis.example:6379"}, "needs a password"),
        ({"REDIS_URL": "redis+cluster://redis.example:6379"}, "Cluster cannot carry"),
        ({"REDIS_URL": "amqp://mq.example"}, "use a redis://"),
        ({"INBOX_PATH": "/tmp/inbox"}, "inbox shows everybody's mail"),
        ({"FAILPOINT": "E1b=/tmp/x"}, "kills processes on purpose"),
        ({"DATABASE_URL": "mysql://db/x"}, "postgresql:// or a sqlite://"),
        ({"STORAGE_URL": "gs://bucket"}, "s3://bucket/prefix"),
        ({"PORT": "eighty"}, "PORT"),
        ({"WEBAPI_ENV": "staging"}, "WEBAPI_ENV"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        from_env(SAFE | change)
    assert "\n" not in refused.value.message


def test_the_urls_that_hosts_hand_out_work_as_they_come() -> None:
    url = from_env(SAFE | {"DATABASE_URL": "postgres://u:p@db.example:5432/x"})["SQLALCHEMY_DATABASE_URI"]
    assert url == "postgresql+psycopg://u:p@db.example:5432/x"


@pytest.mark.parametrize(
    "change",
    [
        {"CALL_PORTS": [0]}, {"CALL_PORTS": [70000]}, {"CALL_PRIVATE": ["127.0.0.1"]}, {"CALL_PRIVATE": ["*"]},
        {"CALL_PRIVATE": ["http://127.0.0.1:80"]}, {"CALL_PRIVATE": ["LOCALHOST:80"]}, {"CALL_SECRET": "canary"},
        {"CALL_SECRET": "whsec_canary"}, {"CALL_SECRET": "whsec_" + "A" * 31}, {"CALL_SECRET": "whsec_" + "A" * 92},
    ],
)  # fmt: skip
def test_what_may_be_called_is_spelt_exactly(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))) as refused:
        from_env(change)
    assert "canary" not in str(refused.value)


def test_a_place_that_is_named_may_be_called_in_production_too() -> None:
    """Whoever names it decides; nothing private is open without a name."""
    change = {"CALL_PRIVATE": ["127.0.0.1:8080", "[::1]:8443"], "CALL_SECRET": "whsec_" + "A" * 32}
    assert from_env(SAFE | change)["CALL_PRIVATE"] == change["CALL_PRIVATE"]


def test_https_makes_the_cookie_secure() -> None:
    config = from_env(SAFE | {"PUBLIC_URL": "https://jobs.example"})
    assert (config["SESSION_COOKIE_NAME"], config["SESSION_COOKIE_SECURE"]) == ("__Host-session", True)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-the-file\n")
    code = "from webapi.config import from_env; print(from_env()['SECRET_KEY'])"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SECRET_KEY_FILE": str(tmp_path / "key")}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "from-the-file"


def test_the_example_names_every_setting_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {
        line.removeprefix("# ").partition("=")[0]
        for line in lines
        if "=" in line and line.removeprefix("# ")[:1].isupper()
    }
    assert {name for name in named if name.isupper()} == set(Settings.model_fields)
