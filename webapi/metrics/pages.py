"""The page that Prometheus reads: the files of all processes of one server, the dead ones' among them."""

from __future__ import annotations

import fcntl
import hmac
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from webapi.errors import ConfigError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OURS = re.compile(r"(?:web|worker|relay)-([1-9]\d*)")  # whatever else lies there is not ours to remove
DEAD = 0  # stands where the number of a process would; no process has it


def folder_for(root: Path, role: str, leader: int) -> Path:
    """A folder for the server whose first process is `leader`; those of servers that are gone are removed.

    Raises ConfigError when `root` is somebody else's, who could then read or forge what we count.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.geteuid():
        raise ConfigError(f"METRICS_DIR: {root} belongs to somebody else. Name a folder of this user's own.")
    for other in root.iterdir():
        found = OURS.fullmatch(other.name)
        if found and not _lives(int(found[1])):
            shutil.rmtree(other, ignore_errors=True)
    folder = root / f"{role}-{leader}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def page(folder: Path) -> bytes:
    """Everything that was counted there."""
    registry = CollectorRegistry()
    with _alone(folder):
        _bury(folder)
        MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def is_token(header: str, token: str) -> bool:
    """Whether an Authorization header holds the token (RFC 6750 section 2.1). It takes as long for any header."""
    return hmac.compare_digest(header.encode(), f"Bearer {token}".encode())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # said, because a process that was forked meanwhile has it open too


def _bury(folder: Path) -> None:
    """Add what dead processes counted to one file of all the dead: nothing they counted is lost, and no file stays."""
    for path in folder.glob("*.db"):
        group, _, process = path.stem.rpartition("_")
        if int(process) == DEAD or _lives(int(process)):
            continue
        estate = MmapedDict(str(folder / f"{group}_{DEAD}.db"))  # type: ignore[no-untyped-call]
        for key, value, at, _ in MmapedDict.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
            before, when = estate.read_value(key)  # type: ignore[no-untyped-call]
            values = (max(before, value), max(when, at)) if group.startswith("gauge") else (before + value, 0.0)
            estate.write_value(key, *values)  # type: ignore[no-untyped-call]
        estate.close()  # type: ignore[no-untyped-call]
        path.unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
