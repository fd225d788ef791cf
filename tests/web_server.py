"""The real web server for tests."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from flask import Flask

from tests.processes import ROOT, settings_of
from tests.servers import free_port
from tests.waiting import until
from webapi.config import environment


class WebServer:
    """granian, as `make web` starts it."""

    def __init__(self, app: Flask, log: Path, threads: int, processes: int, options: Sequence[str]) -> None:
        self.port = free_port()
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "tests.wsgi:app", "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", str(processes), "--blocking-threads", str(threads), *options,
        ]  # fmt: skip
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment(settings_of(app)), stdout=file, stderr=file, start_new_session=True
            )

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        """The status of an answer on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            return connection.getresponse().status
        finally:
            connection.close()

    def answers(self) -> bool:
        with suppress(OSError), self.connect():
            return True
        return False

    def processes(self) -> list[psutil.Process]:
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]


@contextmanager
def web_server(
    app: Flask, log: Path, threads: int = 4, processes: int = 1, options: Sequence[str] = ()
) -> Iterator[WebServer]:
    """A server of this app, gone at the end of the block."""
    server = WebServer(app, log, threads, processes, options)
    try:
        until(server.answers, seconds=30, what=f"the web server; see {log}")
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
