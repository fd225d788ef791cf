"""Every message carries a MAC, and a worker runs none without: whoever can write to Redis can run nothing.

The MAC is HMAC-SHA256 over what decides what runs: the task's name and id, its arguments, its time
limits, and what Celery would run after it. The key derives from SECRET_KEY; fallbacks still verify.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from celery.app.amqp import AMQP
from celery.app.task import Context
from flask import Flask
from kombu.utils.json import dumps

HEADER = "webapi_mac"
VERSION = "v1"
AFTERWARDS = ("callbacks", "errbacks", "chain", "chord")


def sign(key: bytes, task: str, task_id: str, args: Any, kwargs: Any, timelimit: Any, afterwards: Any) -> str:
    """The MAC of one message, as `v1.<hex>`."""
    message: str = dumps([task, task_id, args, kwargs, timelimit, afterwards], sort_keys=True)  # type: ignore[no-untyped-call]
    return f"{VERSION}.{hmac.digest(key, message.encode(), 'sha256').hex()}"


def keys(app: Flask) -> list[bytes]:
    """The key to sign with, then those that are still good for verifying."""
    secrets: Sequence[str] = [app.config["SECRET_KEY"], *(app.config.get("SECRET_KEY_FALLBACKS") or [])]
    return [hmac.digest(secret.encode(), b"webapi message v1", "sha256") for secret in secrets]


def verified(app: Flask, task: str, request: Context, args: Any, kwargs: Any) -> bool:
    """Whether a message that a worker received was signed by us and is as it was."""
    given = (request.headers or {}).get(HEADER)
    if not isinstance(given, str):
        return False
    afterwards = [getattr(request, name, None) or None for name in AFTERWARDS]
    timelimit = list(request.timelimit or (None, None))
    content = (task, request.id, list(args), kwargs, timelimit, afterwards)
    # As bytes: compare_digest refuses text beyond ASCII, which a forger may send.
    return any(hmac.compare_digest(given.encode(), sign(key, *content).encode()) for key in keys(app))


class SigningAMQP(AMQP):  # type: ignore[misc]
    """Celery's message factory, with the MAC among the headers."""

    def as_task_v2(self, task_id: str, name: str, *args: Any, **kwargs: Any) -> Any:
        message = super().as_task_v2(task_id, name, *args, **kwargs)
        task_args, task_kwargs, embed = message.body
        message.headers[HEADER] = sign(
            keys(self.app.flask_app)[0],
            name,
            task_id,
            list(task_args),
            task_kwargs,
            list(message.headers["timelimit"]),
            [embed.get(key) or None for key in AFTERWARDS],
        )
        return message
