"""Which Redis a deployment names for what, and what production asks of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from webapi.config import from_env
from webapi.errors import ConfigError
from webapi.redis_settings import unverified

SAFE = {
    "WEBAPI_ENV": "production",
    "SECRET_KEY": "k" * 64,
    "DATABASE_URL": "postgresql://db/webapi",
    "REDIS_URL": "rediss://:password@redis.example:6379/0",
}
HEROKU = "rediss://:password@ec2-1-2-3-4.compute-1.example:7710"


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_queue_has_the_server_that_its_name_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("redis://reports.internal\n")
    (tmp_path / ".env").write_text("REDIS_URL_EMAIL=redis://loses\nREDIS_URL_SLOW=redis://slow.internal\n")
    monkeypatch.setenv("REDIS_URL_EMAIL", "redis://email.internal")
    monkeypatch.setenv("REDIS_URL_REPORTS_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("REDIS_URLS", '{"very-slow": "redis://very.internal"}')
    assert from_env()["REDIS_URLS"] == {
        "EMAIL": "redis://email.internal",
        "SLOW": "redis://slow.internal",
        "REPORTS": "redis://reports.internal",
        "VERY_SLOW": "redis://very.internal",
    }


def test_the_file_of_the_one_server_is_no_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("redis://127.0.0.1:7000/0\n")
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "secret"))
    config = from_env()
    assert (config["REDIS_URL"], config["REDIS_URLS"]) == ("redis://127.0.0.1:7000/0", {})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"REDIS_URLS": {"email": "redis+cluster://h"}}, "EMAIL: Redis Cluster"),
        ({"REDIS_URLS": {"email": "redis://h", "EMAIL": "redis://h"}}, "named twice"),
        ({"REDIS_URLS": {"email": "redis://mail.example"}}, "REDIS_URL_EMAIL: .* needs a password"),
        ({"REDIS_URL": "sentinel://sentinel.example/jobs"}, "needs a password"),
        ({"REDIS_URL": f"{HEROKU}?ssl_cert_reqs=none"}, "REDIS_VERIFY_CERTIFICATES=false"),
    ],
)
def test_production_refuses_what_is_not_safe(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        from_env(SAFE | change)
    assert "password@" not in str(refused.value)


def test_whoever_accepts_any_certificate_says_so_in_a_setting_of_its_own() -> None:
    config = from_env(SAFE | {"REDIS_URL": HEROKU, "REDIS_VERIFY_CERTIFICATES": False, "REDIS_URLS": {"email": HEROKU}})
    assert config["REDIS_URL"] == config["REDIS_URLS"]["EMAIL"] == f"{HEROKU}?ssl_cert_reqs=none"


def test_sentinels_are_taken_in_production() -> None:
    url = "sentinel://:password@a.example,b.example,c.example/jobs?sentinel_password=other"
    assert from_env(SAFE | {"REDIS_URL": url})["REDIS_URL"] == url


@pytest.mark.parametrize(
    ("url", "changed"),
    [
        ("redis://h/0", "redis://h/0"),
        ("rediss://h/0", "rediss://h/0?ssl_cert_reqs=none"),
        (
            "rediss://h/0?ssl_cert_reqs=required&ssl_ca_certs=%2Fca",
            "rediss://h/0?ssl_cert_reqs=none&ssl_ca_certs=%2Fca",
        ),
    ],
)
def test_only_tls_has_certificates(url: str, changed: str) -> None:
    assert unverified(url) == changed
