"""What the tests of services stand on: the ledger of the queue's tests, and a mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.conftest import BASE
from tests.queue.ground import ground, owner
from tests.services.resolving import Resolver
from tests.smtp_server import SmtpServer, smtp_server
from webapi import create_app

__all__ = ["ground", "owner"]
# What is done to files there is the same whatever keeps the ledger, and takes long: PostgreSQL's turn is in the soak.
FILES = {"datasets", "images", "processing"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in FILES and "postgresql" in item.name:
            item.add_marker(pytest.mark.soak)


@pytest.fixture
def mail_server(ground: Flask) -> Iterator[SmtpServer]:
    """Where the app's mail goes for the length of one test."""
    settings = ground.extensions["mail"]
    with smtp_server() as server:
        before, settings.port = settings.port, server.port
        yield server
        settings.port = before
        if kept := ground.extensions.pop("smtp", None):
            kept.close()


@pytest.fixture
def calling() -> Iterator[Callable[..., Flask]]:
    """The context of an app with these settings."""
    contexts = []

    def make(**changes: Any) -> Flask:
        app: Flask = create_app({**BASE, "DATABASE_URL": "sqlite://", **changes})
        contexts.append(app.app_context())
        contexts[-1].push()
        return app

    yield make
    for context in reversed(contexts):
        context.pop()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)
