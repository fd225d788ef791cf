"""Requests from one process: as many as a number of clients get answered, or a fixed number a second.

    python -m benchmarks.load PORT PATH BODY --clients 64 --seconds 3 [--rate 10000] [--header 'Name: value'] [--keys p]

Prints one line of JSON. Each client has a connection of its own and one request under way. When the time is up nothing
more is sent and what is under way is waited for, so that what a server took and what it answered can be compared.
With a rate, requests are due whatever the answers are; one that finds no client free is `unsent`.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from benchmarks.slices import at

HOST = "127.0.0.1"
PATIENCE = 30.0  # seconds for the last answers
END = b"\r\n\r\n"


@dataclass(eq=False)
class Client:
    """One connection; `sent` is when the request under way was due."""

    socket: socket.socket | None = None
    sent: float = 0.0
    received: bytes = b""


@dataclass
class Seen:
    """What was answered, and how long each answer of 202 took, in seconds."""

    statuses: Counter[str] = field(default_factory=Counter)
    in_time: int = 0
    waits: list[float] = field(default_factory=list)
    hopeless: int = 0  # refused without a word on when to come again
    unsent: int = 0
    others: dict[str, str] = field(default_factory=dict)  # the first answer of each other status


class Load:
    """Clients of one path of one server."""

    def __init__(self, port: int, request: tuple[bytes, bytes], clients: int) -> None:
        self._port, self._before, self._after = port, *request
        self._selector = selectors.DefaultSelector()
        self._idle = [Client() for _ in range(clients)]
        self._number, self._waiting = 0, 0
        self.seen = Seen()

    def run(self, seconds: float, rate: float) -> float:
        """Returns the seconds that it took until nothing more was sent."""
        if not rate:
            for client in self._idle:
                self._connect(client)
        began = now = time.monotonic()
        end, due = began + seconds, 0
        while now < end:
            if rate:
                due = self._offer(due, began, now, rate)
            else:
                while self._idle:
                    self._send(self._idle.pop(), now)
            self._listen(0.001 if rate else end - now)
            now = time.monotonic()
        if rate:
            self._offer(due, began, end, rate)
        self.seen.in_time = self.seen.statuses["202"]
        while self._waiting and time.monotonic() < now + PATIENCE:
            self._listen(0.1)
        self.seen.statuses["no answer"] += self._waiting
        return now - began

    def _offer(self, due: int, began: float, now: float, rate: float) -> int:
        """Send what is due by now. Returns how many that were since the beginning."""
        wanted = int((now - began) * rate)
        sent = min(wanted - due, len(self._idle))
        for number in range(sent):
            self._send(self._idle.pop(), began + (due + number) / rate)
        self.seen.unsent += wanted - due - sent
        return wanted

    def _send(self, client: Client, due: float) -> None:
        self._number += 1
        self._waiting += 1
        client.sent = due
        try:
            if client.socket is None:
                self._connect(client)
            assert client.socket is not None
            key = b"%08d" % self._number if self._after else b""
            words = self._before + key + self._after
            if (sent := client.socket.send(words)) < len(words):
                client.socket.settimeout(PATIENCE)
                client.socket.sendall(words[sent:])
                client.socket.setblocking(False)
        except OSError as error:
            self._lose(client, type(error).__name__)

    def _listen(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            client: Client = key.data
            received, why = b"", "closed"
            try:
                received = key.fileobj.recv(65536)  # type: ignore[union-attr]
            except OSError as error:
                why = type(error).__name__
            if not received:
                self._lose(client, why)
                continue
            client.received += received
            head = client.received.find(END)
            if head >= 0 and len(client.received) >= head + len(END) + _length(client.received, head):
                self._take(client, head)

    def _take(self, client: Client, head: int) -> None:
        """A whole answer is there."""
        self._waiting -= 1
        status = client.received[9:12].decode()
        self.seen.statuses[status] += 1
        if status == "202":
            self.seen.waits.append(time.monotonic() - client.sent)
        else:
            self._refused(status, client, head)
        client.received = b""
        self._idle.append(client)

    def _refused(self, status: str, client: Client, head: int) -> None:
        self.seen.others.setdefault(status, client.received.decode("utf-8", "replace"))
        if status in {"429", "503"} and b"\nretry-after:" not in client.received[:head].lower():
            self.seen.hopeless += 1

    def _connect(self, client: Client) -> None:
        client.socket = socket.create_connection((HOST, self._port), timeout=2)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.socket.setblocking(False)
        self._selector.register(client.socket, selectors.EVENT_READ, client)

    def _lose(self, client: Client, why: str) -> None:
        """Its connection is gone; a connection that ends between two requests is no failure."""
        if client.socket is not None:
            self._selector.unregister(client.socket)
            client.socket.close()
        client.socket, client.received = None, b""
        if client in self._idle:
            return
        self._waiting -= 1
        self.seen.statuses[why] += 1
        self._idle.append(client)


def _length(received: bytes, head: int) -> int:
    """The bytes of the body. Every server here says how many there are."""
    at = received.lower().find(b"content-length:", 0, head)
    return int(received[at + 15 : received.index(b"\r", at)]) if at >= 0 else 0


def request(path: str, body: bytes, headers: list[str], keys: str) -> tuple[bytes, bytes]:
    """The bytes before and after the place for the number of the request; all are before when it has none."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json", *headers, ""]
    head, rest = "\r\n".join(lines).encode(), f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    return (head + f"Idempotency-Key: {keys}-".encode(), b"\r\n" + rest) if keys else (head + rest, b"")


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Run the load that was asked for. Returns what it saw."""
    body = sys.stdin.buffer.read() if asked.body == "-" else asked.body.encode()
    load = Load(asked.port, request(asked.path, body, asked.header, asked.keys), asked.clients)
    seconds, seen = load.run(asked.seconds, asked.rate), load.seen
    waits = {"p50": at(seen.waits, 0.5), "p99": at(seen.waits, 0.99)}
    facts: dict[str, Any] = {
        "accepted": seen.statuses["202"],
        "hopeless": seen.hopeless,
        "unsent": seen.unsent,
        "others": seen.others,
    }
    facts |= {"seconds": seconds, "processor": time.process_time(), "statuses": dict(seen.statuses)}
    return {"rate": seen.in_time / seconds, **waits, **facts}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("body", help="JSON; - reads it from standard input")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second, whatever the answers")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--keys", default="", help="what an Idempotency-Key of its own for each request begins with")
    print(json.dumps(main(parser.parse_args())))
