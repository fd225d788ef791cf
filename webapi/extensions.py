"""Unbound extensions: made at import, bound to an app by the factory, holding no app themselves."""

from __future__ import annotations

import hmac

from flask import current_app, request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


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


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
mail = Mail()
login = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=_remote_address)
