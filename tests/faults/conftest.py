"""What the sweep of gaps needs around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Person
from tests.faults.ground import Killer, Zygote
from tests.http_server import HttpServer, http_server
from tests.smtp_server import SmtpServer, smtp_server


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    started = Zygote()
    yield started
    started.stop()


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def service() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], mail: SmtpServer, service: HttpServer) -> Flask:
    return make_app(LEASE_SECONDS=2, MAIL_SERVER="127.0.0.1", MAIL_PORT=mail.port, CALL_PRIVATE=[service.place])


@pytest.fixture
def kill_at(app: Flask, ada: Person, tmp_path: Path, zygote: Zygote) -> Killer:
    return Killer(app, ada, tmp_path, zygote)
