"""Links that prove by themselves what they are for, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, current_app
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from webapi.errors import NotFound
from webapi.services import links


@pytest.fixture(autouse=True)
def _context(calling: Callable[..., Flask]) -> None:
    calling(PUBLIC_URL="https://jobs.example/app/")


class Earlier(TimestampSigner):
    """The library's own signer on a clock that is late."""

    seconds = 0

    def get_timestamp(self) -> int:
        return int(time.time()) - self.seconds


def signed_before(seconds: int, purpose: str, value: Any) -> str:
    signer = type("Signer", (Earlier,), {"seconds": seconds})
    token = URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=purpose, signer=signer).dumps(value)
    return str(token)


@pytest.mark.parametrize("value", ["", "x", 1, None, ["upload", str(uuid4())], {"a": [1]}, "ü\u2028"])
def test_what_was_signed_is_read_again(value: Any) -> None:
    assert links.read("a", links.sign("a", value), 60) == value
    assert links.read_for_ever("a", links.sign_for_ever("a", value)) == value


def test_a_link_begins_with_the_configured_address() -> None:
    assert links.public("/files/x") == "https://jobs.example/app/files/x"


def test_a_link_ends_when_its_time_is_over() -> None:
    assert links.read("a", signed_before(50, "a", 1), 60) == 1
    with pytest.raises(NotFound):
        links.read("a", signed_before(70, "a", 1), 60)
    assert links.read("a", signed_before(10**8, "a", 1)) == 1


def test_a_token_of_the_future_is_none() -> None:
    with pytest.raises(NotFound):
        links.read("a", signed_before(-1000, "a", 1), 60)


@pytest.mark.parametrize("forged", ["", ".", "a.b.c", "\ud800", "\0", "ü", "=" * 10, "x" * 100_000, "W10.aaaaaa.bbbb"])
def test_a_forged_token_is_none(forged: str) -> None:
    for read in (links.read, links.read_for_ever):
        with pytest.raises(NotFound):
            read("a", forged)


def test_no_change_of_a_token_is_read() -> None:
    for token, read in ((links.sign("a", "x"), links.read), (links.sign_for_ever("a", "x"), links.read_for_ever)):
        for position in range(len(token) - 1):  # the last character holds bits that mean nothing
            other = "A" if token[position] != "A" else "B"
            with pytest.raises(NotFound):
                read("a", token[:position] + other + token[position + 1 :])


def test_a_token_is_for_its_purpose_alone() -> None:
    with pytest.raises(NotFound):
        links.read("b", links.sign("a", 1))
    with pytest.raises(NotFound):
        links.read_for_ever("b", links.sign_for_ever("a", 1))
    with pytest.raises(NotFound):
        links.read("a", links.sign_for_ever("a", 1))
    with pytest.raises(NotFound):
        links.read_for_ever("a", links.sign("a", 1))


def test_what_never_ends_is_always_the_same() -> None:
    assert links.sign_for_ever("a", 1) == links.sign_for_ever("a", 1)


def test_an_old_key_still_reads_and_signs_no_more(calling: Callable[..., Flask]) -> None:
    old = links.sign("a", 1), links.sign_for_ever("a", 1)
    before = current_app.config["SECRET_KEY"]
    calling(SECRET_KEY="another-key-that-is-long-enough-for-anything", SECRET_KEY_FALLBACKS=[before])
    assert (links.read("a", old[0]), links.read_for_ever("a", old[1])) == (1, 1)
    new = links.sign("a", 1)
    calling(SECRET_KEY="a-third-key-that-is-long-enough-for-anything", SECRET_KEY_FALLBACKS=[before])
    with pytest.raises(NotFound):
        links.read("a", new)
