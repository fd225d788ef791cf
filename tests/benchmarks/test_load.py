"""The load: what it sent is what a server got, and what the server answered is what it says."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.load import Load, request

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
HOPELESS = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"


class Server:
    """Answers in turns, and keeps every request."""

    def __init__(self, answers: tuple[bytes, ...], pause: float) -> None:
        self.answers, self.pause, self.got = answers, pause, Counter[bytes]()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client: socket.socket) -> None:
        with client:
            while asked := client.recv(65536):
                with self.lock:
                    number = self.got.total()
                    self.got[asked] += 1
                time.sleep(self.pause)
                words = self.answers[number % len(self.answers)]
                client.sendall(words[:20])  # an answer may come in pieces
                client.sendall(words[20:])


@contextmanager
def serving(*answers: bytes, pause: float = 0.0) -> Iterator[Server]:
    server = Server(answers, pause)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()


def test_every_request_is_answered_and_has_a_key_of_its_own() -> None:
    with serving(ACCEPTED) as server:
        load = Load(server.port, request("/add", b"{}", ["X: y"], "run1"), 4)
        load.run(0.3, 0)
    assert load.seen.statuses["202"] == server.got.total() == len(server.got) > 4
    assert len(load.seen.waits) == server.got.total()
    assert load.seen.in_time <= server.got.total() <= load.seen.in_time + 4
    assert all(
        b"\r\nX: y\r\nIdempotency-Key: run1-0" in asked and asked.endswith(b"\r\n\r\n{}") for asked in server.got
    )


def test_refusals_are_counted_and_those_without_a_time_apart() -> None:
    with serving(ACCEPTED, BUSY, HOPELESS) as server:
        load = Load(server.port, request("/add", b"{}", [], ""), 1)
        load.run(0.3, 0)
        got = server.got.total()
    assert load.seen.statuses["202"] == (got + 2) // 3
    assert load.seen.statuses["503"] == got - (got + 2) // 3
    assert load.seen.hopeless == got // 3
    assert load.seen.others == {"503": BUSY.decode()}


def test_a_rate_is_offered_whatever_the_answers_and_who_finds_no_client_is_counted() -> None:
    with serving(ACCEPTED, pause=0.2) as server:
        load = Load(server.port, request("/add", b"{}", [], ""), 5)
        load.run(0.5, 200)
    sent = load.seen.statuses["202"]
    assert sent == server.got.total() <= 20
    assert sent + load.seen.unsent == 100
