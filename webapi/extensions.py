"""Unbound extensions: made at import, bound to an app by the factory, holding no app themselves."""

from __future__ import annotations

import hmac
from functools import cached_property
from importlib import import_module
from typing import Any

from flask import Response, current_app, request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from limits.storage import RedisStorage
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

BEARER = "Bearer "


class Base(DeclarativeBase):
    """Names for constraints, so that a migration can speak of them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def pseudonym(who: str) -> str:
    """A stand-in for an address in Redis, which holds nothing private. Nobody can turn it back."""
    return hmac.digest(current_app.config["SECRET_KEY"].encode(), who.encode(), "sha256").hex()[:32]


def _remote_address() -> str:
    return pseudonym(request.remote_addr or "")


class Migrations:
    """What Flask-Migrate asks an app for. Itself, and Alembic with it, is for whoever migrates: no server needs it."""

    def __init__(self, directory: str) -> None:
        self.db, self.directory = db, directory

    @cached_property
    def migrate(self) -> Any:
        return import_module("flask_migrate").Migrate(db=self.db, directory=self.directory)


class LimiterStorage(RedisStorage):
    """The limiter's own, which imports a second client for Redis only because that is installed too."""

    STORAGE_SCHEME = ["webapi+redis"]  # noqa: RUF012 - as the library declares them
    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}  # noqa: RUF012


class Login(LoginManager):  # type: ignore[misc]
    """Flask-Login's own, but that a key decides alone: for a request that brings one no session is looked at."""

    def _load_user(self) -> None:
        if _has_key():
            self._update_request_context_with_user(self._request_callback(request))
        else:
            super()._load_user()

    def _update_remember_cookie(self, response: Response) -> Response:
        return response if _has_key() else super()._update_remember_cookie(response)


def _has_key() -> bool:
    return bool(request.environ.get("HTTP_AUTHORIZATION", "").startswith(BEARER))


db = SQLAlchemy(model_class=Base)
mail = Mail()
login = Login()
csrf = CSRFProtect()
limiter = Limiter(key_func=_remote_address)
