"""Passwords: what is accepted, and argon2id."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST, MOST = 10, 1024  # characters and bytes; more would let a sign-in cost what its sender likes
COMMON = frozenset(  # of the lengths that we take; from the tops of several published lists
    [
        "1234567890",
        "12345678910",
        "qwertyuiop",
        "password123",
        "password1234",
        "iloveyou123",
        "1q2w3e4r5t",
        "qwerty12345",
        "adminadmin",
        "administrator",
        "passwordpassword",
        "0123456789",
        "0987654321",
        "1111111111",
        "aaaaaaaaaa",
        "letmein123",
        "welcome123",
        "changeme123",
        "qwerty123456",
        "abcdefghij",
    ]
)
_hasher = PasswordHasher()  # argon2id with the parameters of RFC 9106, section 4, second choice
# Verified when there is no such person, so that the answer takes as long.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"


def acceptable(password: str) -> str:
    """The password itself. Raises ValueError with the reason why it is not taken."""
    if len(password) < LEAST:
        raise ValueError(f"use at least {LEAST} characters")
    if len(password.encode()) > MOST:
        raise ValueError(f"use at most {MOST} bytes")
    if password.lower() in COMMON:
        raise ValueError("this one is on every list of common passwords; use another")
    return password


def hashed(password: str) -> str:
    return _hasher.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is right. Takes as long for a person that does not exist (None)."""
    if len(password.encode()) > MOST:
        return False
    try:
        return _hasher.verify(password_hash or NOBODY, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
