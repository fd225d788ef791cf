"""Passwords."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from webapi.services.passwords import NOBODY, acceptable, hashed, matches


@pytest.mark.parametrize(
    ("password", "reason"), [("short", "at least 10"), ("Password123", "common"), ("ü" * 600, "at most 1024")]
)
def test_a_bad_password_is_refused_with_the_reason(password: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        acceptable(password)


def test_a_password_is_kept_as_argon2id_and_recognised() -> None:
    kept = hashed("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert matches(kept, "correct horse battery")
    assert not matches(kept, "correct horse batterx")


def test_an_unknown_person_costs_a_whole_verification() -> None:
    """The hash of nobody is a real one: a broken one would be told apart by its speed."""
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(NOBODY, "anything at all")
    assert not matches(None, "anything at all")


def test_a_huge_password_is_not_even_hashed() -> None:
    assert not matches(hashed("x" * 20), "x" * 2000)
