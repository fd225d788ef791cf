"""The world's name servers, as far as the tests need them."""

from __future__ import annotations

import socket
from typing import Any

import pytest


class Resolver:
    """`names` holds what each name resolves to: one list of addresses for each time it is asked, the last for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.ask)

    def ask(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self.names:
            return self.real(host, port, *args, **options)
        self.asked.append(name)
        answers = self.names[name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [each for address in found for each in self.real(address, port, type=socket.SOCK_STREAM)]
