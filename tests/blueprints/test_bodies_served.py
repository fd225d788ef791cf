"""Bodies that lie about their length, over the wire to the real web server."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from tests.waiting import until
from tests.web_server import WebServer, web_server
from webapi.extensions import db
from webapi.models import Upload

LIMIT = 8 << 20  # bytes of a dataset here
ROWS = b"1234567\n" * 8192  # 64 KB


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(DATASET_BYTES=LIMIT, MAX_CONTENT_LENGTH=1 << 20)


@pytest.fixture
def server(app: Flask, tmp_path: Path) -> Iterator[WebServer]:
    with web_server(app, tmp_path / "web.log") as running:
        yield running


def begin(
    server: WebServer, who: Person, *headers: str, path: str = "/api/v1/datasets?file_name=x.csv"
) -> socket.socket:
    """A request to hand in a file, up to its body."""
    wire = server.connect()
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: text/csv", *headers]
    wire.sendall("\r\n".join([*lines, f"Authorization: {who.headers['Authorization']}", "", ""]).encode())
    return wire


def pour(wire: socket.socket, size: int, *, chunked: bool = False) -> int:
    """Send so many bytes, unless the other side has had enough. Returns how many went out."""
    sent = 0
    with suppress(OSError):
        while sent < size:
            wire.sendall(b"%x\r\n%s\r\n" % (len(ROWS), ROWS) if chunked else ROWS)
            sent += len(ROWS)
    return sent


def answer(wire: socket.socket) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of the first answer; 0 when the connection was cut."""
    held = b""
    with suppress(OSError):
        while b"\r\n\r\n" not in held and (block := wire.recv(65536)):
            held += block
    head, _, body = held.partition(b"\r\n\r\n")
    if not head:
        return 0, {}
    sizes = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    with suppress(OSError):
        while len(body) < int(sizes[0]) and (block := wire.recv(65536)):
            body += block
    return int(head.split()[1]), json.loads(body[: int(sizes[0])])


def incoming(app: Flask) -> list[Path]:
    return list((app.extensions["files"].root / "incoming").glob("*"))


def test_two_gigabytes_that_are_declared_as_one_kilobyte_are_one_kilobyte(
    app: Flask, ada: Person, server: WebServer
) -> None:
    with begin(server, ada, "Content-Length: 1024") as wire:
        sent = pour(wire, 2 << 30)
        status, made = answer(wire)
    assert (status, made["size"]) == (202, 1024)
    assert sent < 64 << 20
    listed = app.test_client().get("/api/v1/datasets", headers=ada.headers).json or {}
    assert [each["size"] for each in listed["datasets"]] == [1024]
    assert incoming(app) == []


def test_one_kilobyte_that_is_declared_as_two_gigabytes_is_refused_at_once(
    app: Flask, ada: Person, server: WebServer
) -> None:
    with begin(server, ada, f"Content-Length: {2 << 30}") as wire:
        status, problem = answer(wire)
    assert (status, problem["detail"]) == (413, "The file is larger than the 8 MB that a dataset may have.")
    assert incoming(app) == []


@pytest.mark.parametrize("path", ["/api/v1/datasets?file_name=x.csv", "/api/v1/uploads?name=x.csv"])
def test_a_body_that_breaks_off_is_no_file(app: Flask, ada: Person, server: WebServer, path: str) -> None:
    with begin(server, ada, f"Content-Length: {1 << 20}", path=path) as wire:
        pour(wire, 1 << 19)
        wire.shutdown(socket.SHUT_WR)
        status, _ = answer(wire)
    assert status == 400
    until(lambda: not incoming(app), what="what was sent to be thrown away")
    listed = app.test_client().get("/api/v1/datasets", headers=ada.headers).json or {}
    assert listed["datasets"] == []
    with app.app_context():
        assert db.session.scalars(select(Upload)).all() == []


def test_a_body_without_a_length_ends_at_the_limit(app: Flask, ada: Person, server: WebServer) -> None:
    with begin(server, ada, "Transfer-Encoding: chunked") as wire:
        sent = pour(wire, 2 << 30, chunked=True)
        status, _ = answer(wire)
    assert status in {0, 413}
    assert sent < 64 << 20
    until(lambda: not incoming(app), what="what was sent to be thrown away")


def test_a_body_without_a_length_within_the_limit_is_whole(app: Flask, ada: Person, server: WebServer) -> None:
    with begin(server, ada, "Transfer-Encoding: chunked") as wire:
        sent = pour(wire, LIMIT // 2, chunked=True)
        wire.sendall(b"0\r\n\r\n")
        status, made = answer(wire)
    assert (status, made["size"]) == (202, sent)
