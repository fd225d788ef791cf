"""Ports of 127.0.0.1."""

from __future__ import annotations

import socket

from webapi.errors import ConfigError

HOST = "127.0.0.1"
HIGHEST = 65535


def free() -> int:
    """Some free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def free_from(port: int) -> int:
    """The first free port that is not below `port`. Raises ConfigError when there is none."""
    for candidate in range(port, HIGHEST + 1):
        if is_free(candidate):
            return candidate
    raise ConfigError(f"There is no free port from {port} on.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections of an earlier run that are not quite over do not keep a port from its next server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
