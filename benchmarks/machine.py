"""On what the figures were taken: the machine, and what ran on it in which version."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from webapi.errors import ConfigError
from webapi.local import broker
from webapi.local.drill.database import programs
from webapi.version import VERSION

LOCK = Path(__file__).parent / "peers" / "requirements.txt"
PEERS = ("celery", "dramatiq", "fastapi", "flask", "granian", "huey", "procrastinate", "rq", "sqlalchemy", "uvicorn")


def today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def load() -> str:
    """How many processes wanted to run in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def line() -> str:
    """In half a line: cores, how busy they were with everything in the last minute, Python."""
    return f"{os.cpu_count()} cores, load {load()}, Python {platform.python_version()}"


def described() -> list[str]:
    """In lines of a list."""
    return [
        f"Machine: {os.cpu_count()} cores, {_processor()}, {_memory():.0f} GB, {platform.system()}",
        f"Ours: {VERSION}, {_said('git', 'describe', '--always', '--dirty')}, Python {platform.python_version()}",
        f"Servers: {_database()}, {_broker()}",
        f"Peers: {', '.join(pinned())}",
    ]


def pinned() -> list[str]:
    """The peers with the versions of their lock."""
    versions = dict(re.findall(r"^([\w-]+)==(\S+)", LOCK.read_text("utf-8"), re.MULTILINE))
    return [f"{name} {versions[name]}" for name in PEERS]


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", known.read_text("utf-8"), re.MULTILINE) if known.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _database() -> str:
    try:
        return _said(str(programs() / "postgres"), "--version")
    except ConfigError:
        return "no PostgreSQL"


def _broker() -> str:
    try:
        return _said(broker.find(), "--version").split(" sha=")[0]
    except ConfigError:
        return "no Valkey"


def _said(*command: str) -> str:
    """What a command prints; a word instead when it cannot."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    except OSError:
        return f"no {command[0]}"
    return ended.stdout.strip() or "unknown"
