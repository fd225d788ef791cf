"""Somebody to be in a local system: an account and a key that whoever started it is told."""

from __future__ import annotations

import secrets

from flask import Flask
from sqlalchemy import update

from webapi.models import Role, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services import accounts, keys, passwords

EMAIL = "you@example.com"
KEY_NAME = "make run"


def welcome(app: Flask) -> tuple[str, str]:
    """Somebody to be: an administrator with a new password and a new key. Returns both."""
    password = secrets.token_urlsafe(12)
    with app.app_context():
        user = accounts.by_email(EMAIL)
        if user is None:
            user = accounts.create(EMAIL, "You", password, verified=True, role=Role.ADMINISTRATOR)
        else:
            _change_password(user, password)
        for key in keys.of(user):
            if key.name == KEY_NAME:
                keys.revoke(user, key.id)
        return password, keys.create(user, KEY_NAME)


def _change_password(user: User, password: str) -> None:
    """Who is signed in stays signed in: it is the same person at the same machine."""
    changes = {"password_hash": passwords.hashed(password), "role": Role.ADMINISTRATOR, "verified_at": now()}
    with writing() as session:
        session.execute(update(User).where(User.id == user.id).values(**changes))
