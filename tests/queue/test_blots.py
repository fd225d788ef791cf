"""What looks like a secret is blotted out of a log, and the rest stays readable."""

from __future__ import annotations

import json

import pytest

from webapi.queue import blots

SECRET = "hunter2-canary"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"connecting to postgresql://app:{SECRET}@db/shop", "connecting to postgresql://***@db/shop"),
        (f"redis://:{SECRET}@h:6379/0 is away", "redis://***@h:6379/0 is away"),
        (
            f"GET https://api.example/v1?access_token={SECRET}&page=2",
            "GET https://api.example/v1?access_token=***&page=2",
        ),
        (f"GET /hook?sig={SECRET} HTTP/1.1", "GET /hook?sig=*** HTTP/1.1"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer ***"),
        (f"sent {{'X-Api-Key': '{SECRET}', 'n': 1}}", "sent {'X-Api-Key': '***', 'n': 1}"),
        (json.dumps({"password": f"{SECRET} two words", "n": 1}), '{"password": "***", "n": 1}'),
        (f"password={SECRET}; user=ada", "password=***; user=ada"),
        (f"client_secret = {SECRET}", "client_secret = ***"),
        (f"session_id={SECRET}", "session_id=***"),
        ("key wapi_live_0123456789ab_" + "ab" * 32, "key ***"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl was refused", "*** was refused"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----", "***"),
        (f"-----BEGIN PRIVATE KEY-----\n{SECRET}", "***"),
    ],
)
def test_what_looks_like_a_secret_is_not_kept(text: str, kept: str) -> None:
    assert blots.without_secrets(text, []) == kept


@pytest.mark.parametrize(
    "text",
    [
        "412 rows read in 3.2 s",
        "no token was given",
        "the password is wrong",
        "https://example.com/a?page=2&sort=key",
        "mailto:ada@example.com",
        "keyboard: qwerty",
        "2026-11-21T10:00:00Z email.send attempt=2 rows=10",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert blots.without_secrets(text, []) == text


def test_a_known_secret_goes_also_where_nothing_points_to_it_and_where_a_line_was_cut() -> None:
    words = blots.spellings([f"Bearer {SECRET}"])
    assert blots.without_secrets(f"said {SECRET}!", words) == "said ***!"
    assert blots.without_secrets(f"said {SECRET[:8]}", words, cut=True) == "said ***"


def test_the_secrets_of_the_configuration_are_known() -> None:
    config = {
        "SECRET_KEY": "one", "SECRET_KEY_FALLBACKS": ["two"], "MAIL_PASSWORD": None,
        "DATABASE_URL": "postgresql://u:three@h/d", "REPORT_SOURCES": {"shop": "postgresql://u:four@h/d"},
    }  # fmt: skip
    assert blots.configured(config) == ["one", "two", "three", "four"]
