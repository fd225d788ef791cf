"""What the commands share: whom a job belongs to, and how an error is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from webapi.errors import WebapiError
from webapi.models import User
from webapi.services import accounts

T = TypeVar("T")


def person(email: str) -> User:
    user = accounts.by_email(email)
    if user is None:
        raise click.ClickException(f"Nobody is registered as {email}. Create them with: flask users create {email}")
    return user


def answer(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What `call` returns; an error of ours ends the command with its sentence."""
    try:
        return call(*args, **kwargs)
    except WebapiError as error:
        raise click.ClickException(" ".join([error.message, *(fault.message for fault in error.faults)])) from None
