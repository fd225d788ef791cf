"""What the tests of services stand on: the ledger of the queue's tests, and a mail server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.queue.ground import ground, owner
from tests.smtp_server import SmtpServer, smtp_server

__all__ = ["ground", "owner"]


@pytest.fixture
def mail_server(ground: Flask) -> Iterator[SmtpServer]:
    """Where the app's mail goes for the length of one test."""
    settings = ground.extensions["mail"]
    with smtp_server() as server:
        before, settings.port = settings.port, server.port
        yield server
        settings.port = before
