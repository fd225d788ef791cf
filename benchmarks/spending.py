"""How much processor time the parts of a system spend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from webapi.local.processes import Supervisor


@contextmanager
def spending(supervisor: Supervisor, web: str) -> Iterator[dict[str, float]]:
    """Processor seconds that a web server, and PostgreSQL and Valkey together, spend while the block runs."""
    before = {"web": processor(supervisor.pid(web)), "servers": servers(supervisor)}
    spent: dict[str, float] = {}
    yield spent
    spent |= {"web": processor(supervisor.pid(web)) - before["web"], "servers": servers(supervisor) - before["servers"]}


def servers(supervisor: Supervisor) -> float:
    """Seconds that PostgreSQL and Valkey together have spent so far."""
    return sum(processor(supervisor.pid(name)) for name in ("postgresql", "valkey"))


def processor(pid: int) -> float:
    """Seconds that a process and all below it have spent so far, those included that it has waited for."""
    main = psutil.Process(pid)
    return sum(map(_spent, [main, *main.children(recursive=True)]))


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
