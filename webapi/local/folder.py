"""What a run keeps in its folder: a lock, a secret key, and the settings by which a second terminal joins it."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from webapi.errors import ConfigError
from webapi.local import guard

LOOK = 0.1  # seconds between two tries to get the lock


@contextmanager
def alone_in(folder: Path) -> Iterator[int]:
    """Be the only run in `folder`. The lock, as a descriptor, is free when the last holder of it has ended.

    When a run was killed, this waits for what it left behind to end. Raises ConfigError beside a run
    that lives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    lock = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + 2 * (guard.GRACE + guard.AFTER_KILL)
        while not _taken(lock):
            holder = int(os.pread(lock, 20, 0) or b"0")
            if guard.send(holder, 0) or time.monotonic() > deadline:
                raise ConfigError(f"There is a run in {folder} already (process {holder}). Stop that one first.")
            time.sleep(LOOK)
        os.ftruncate(lock, 0)
        os.pwrite(lock, b"%d" % os.getpid(), 0)
        yield lock
    finally:
        os.close(lock)


def secret_key(path: Path) -> str:
    """A key that is made once: sessions and links in mails outlive a restart."""
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text("ascii")


def write_settings(path: Path, settings: Mapping[str, str]) -> None:
    """Write settings as `webapi.config` reads them."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in settings.items()}
    write_private(path, "".join(f"{name}='{value}'\n" for name, value in quoted.items()))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. It is there whole, or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)  # its mode would stay as it was
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
