"""A forged Host is refused, and the names that are ours are not."""

from __future__ import annotations

import pytest

from webapi import create_app


def status(host: str, path: str = "/login", **settings: object) -> int:
    app = create_app({"DATABASE_URL": "sqlite://", "PUBLIC_URL": "https://jobs.example.com", **settings})
    return int(app.test_client().get(path, headers={"Host": host}).status_code)


@pytest.mark.parametrize(
    "host", ["jobs.example.com", "JOBS.example.com:443", "localhost:5000", "127.0.0.1", "[::1]:80"]
)
def test_our_own_names_are_answered(host: str) -> None:
    assert status(host) == 200


FORGED = [
    "evil.example",
    "jobs.example.com.evil.example",
    "evil.example:443",
    "jobs.example.com@evil.example",
    "[::1",
    "",
]


@pytest.mark.parametrize("host", FORGED)
def test_a_forged_one_is_refused(host: str) -> None:
    assert status(host) == 400


def test_more_names_can_be_given() -> None:
    assert status("inside.lan", SERVER_NAMES=["inside.lan"]) == 200


def test_whoever_watches_the_process_asks_by_its_address() -> None:
    assert status("10.1.2.3:8000", "/healthz") == 200
