"""An HTTP server that does what a test tells it to, request by request, and remembers what it took.

`plan(Act(503), Act(stays="silent"))` is for the next two requests; after the planned ones each is accepted.
What hangs up does so with a reset, as a server that dies does.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Literal

DRIP = 0.1  # seconds


@dataclass(frozen=True)
class Act:
    """What happens to one request. `stores` is whether its effect happens; without it, a 2xx that is sent says so.

    `does` other than to answer: it hangs up after the head or the whole of the request, it never answers, it drips its
    status line, its other headers or its body byte by byte, it pours `raw` without end, or its body is the request.
    `raw` is sent as it stands, instead of an answer.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"taken"
    does: Literal[
        "answer", "echo", "hang up early", "hang up", "stay silent", "drip status", "drip head", "drip body", "pour"
    ] = "answer"
    stores: bool | None = None
    raw: bytes | None = None

    @property
    def stored(self) -> bool:
        answers = self.does in {"answer", "echo", "drip body"} and self.raw is None
        return self.stores if self.stores is not None else answers and 200 <= self.status < 300

    @property
    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} As Planned", *(f"{name}: {value}" for name, value in self.headers)]
        lines.append("Connection: close")  # who did not know would lose the next request (RFC 9112 section 9.6)
        if not any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class _State:
    plans: list[Act] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    stored: list[Received] = field(default_factory=list)


class HttpServer(ThreadingTCPServer):
    """Listens on a free port of an address of this machine until it is closed."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, address: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), _Session)
        self.context = context
        self.port: int = self.server_address[1]
        self.state = _State()
        self.connections = 0
        self.pace = DRIP  # seconds between two bytes
        self.hello = b""  # dripped to each client before anything else
        self.done = threading.Event()
        self.names: list[str | None] = []  # what TLS clients asked for (SNI)
        if context is not None:
            context.sni_callback = lambda sock, name, _: self.names.append(name)

    @property
    def place(self) -> str:
        host = str(self.server_address[0])
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def url(self, path: str = "/hook") -> str:
        return f"http{'s' if self.context else ''}://{self.place}{path}"

    def plan(self, *acts: Act) -> None:
        self.state.plans += acts

    @property
    def received(self) -> list[Received]:
        return self.state.received

    @property
    def stored(self) -> list[Received]:
        return self.state.stored


class _Session(StreamRequestHandler):
    server: HttpServer

    def setup(self) -> None:
        self.server.connections += 1
        if self.server.context is not None:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        try:
            self._one()
        except OSError:
            return

    def _one(self) -> None:
        self._drip(self.server.hello)
        line = self.rfile.readline().decode("latin-1").strip()
        if not line:
            return None  # a client that stopped before its request
        headers = {}
        while (header := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        act = self.server.state.plans.pop(0) if self.server.state.plans else Act()
        if act.does == "hang up early":
            return self._reset()
        request = Received(line, headers, self.rfile.read(int(headers.get("content-length", "0"))))
        self.server.received.append(request)
        if act.stored:
            self.server.stored.append(request)
        return self._answer(replace(act, body=repr(request).encode()) if act.does == "echo" else act)

    def _answer(self, act: Act) -> None:
        if act.does == "hang up":
            return self._reset()
        if act.does == "stay silent":
            self.server.done.wait(30)
        elif act.does == "drip status":
            self._drip(act.head)
        elif act.does == "drip head":
            self.wfile.write(act.head[:-2])
            self._drip(b"X-Drip: " + b"x" * 10_000)
        elif act.does == "drip body":
            self.wfile.write(act.head)
            self._drip(act.body)
        elif act.does == "pour":
            while act.raw is not None and not self.server.done.is_set():
                self.wfile.write(act.raw * 100_000)
        else:
            self.wfile.write(act.raw if act.raw is not None else act.head + act.body)
        return None

    def _drip(self, data: bytes) -> None:
        for position in range(len(data)):
            self.wfile.write(data[position : position + 1])
            if self.server.done.wait(self.server.pace):
                return

    def _reset(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def http_server(address: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    """A server that runs in a thread of its own."""
    with HttpServer(address, context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
