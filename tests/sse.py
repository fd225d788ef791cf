"""A watcher of server-sent events, as a browser is one: by HTTP, line by line."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Event:
    """What stood between two empty lines; a comment alone is none."""

    id: str = ""
    name: str = ""
    data: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.data)


class Watcher:
    """One open stream. `answer` has the status and the headers."""

    def __init__(self, port: int, path: str, headers: dict[str, str], patience: float = 20.0) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()

    def events(self) -> Iterator[Event]:
        """Until the stream ends. Raises TimeoutError when nothing at all is said for `patience` seconds."""
        event = Event()
        while line := self.answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(":")
            value = value.removeprefix(" ")
            if line == b"\n":
                if event != Event():
                    yield event
                event = Event()
            elif name == "data":
                event.data.append(value)
            elif name == "event":
                event.name = value
            elif name == "id":
                event.id = value

    def comment(self) -> str:
        """The next line that is a comment."""
        while line := self.answer.readline().decode():
            if line.startswith(":"):
                return line
        raise AssertionError("the stream ended")

    def close(self) -> None:
        if self.connection.sock is not None:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.connection.close()
