"""The file store: bytes named by their SHA-256, kept before the row that names them.

Where they are kept is another module's: `disk.py` or `s3.py`. What is under way lies on this machine in either case:
`staging/<job>/<attempt>/` for what an attempt is writing, `incoming/` for what is being handed in or fetched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO
from uuid import UUID

from flask import current_app

from webapi.errors import Transient

CHUNK = 1024 * 1024
SHARDS = 256  # parts of the store, by the first two digits of the hash

Named = Callable[[Collection[str]], set[str]]  # those of some hashes that a row names


@dataclass(frozen=True)
class Stored:
    """Bytes that are kept: their SHA-256 in hexadecimal and how many they are."""

    sha256: str
    size: int


class TooLong(Exception):
    """A stream has more bytes than it may; `size` of them were seen."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__()


class Damaged(Transient):
    """The bytes of a file came otherwise than they were kept."""

    code = "file_damaged"


class Store(ABC):
    """What a store does. Reading what it does not have raises FileNotFoundError; one that is away raises StoreAway."""

    where: str  # for people; it holds no secret
    remote = False  # whether it may keep one waiting

    def __init__(self, root: str) -> None:
        """`root` is the folder for what is under way."""
        self.root = Path(root).resolve()

    def put(self, stream: IO[bytes], most: int | None = None) -> Stored:
        """Keep a stream. When this returns, the bytes survive a power cut. Raises TooLong beyond `most` bytes."""
        handle, name = tempfile.mkstemp(dir=self.incoming())
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                stored = copied(stream, file, most)
            self._take(path, stored)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return stored

    def keep(self, path: Path) -> Stored:
        """Move a finished file of an attempt's staging into the store."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        stored = Stored(digest, path.stat().st_size)
        self._take(path, stored)
        return stored

    @abstractmethod
    def _take(self, path: Path, stored: Stored) -> None:
        """Make the bytes of a local file durable under their hash: all of them or none. The file is gone then."""

    @abstractmethod
    def open(self, sha256: str) -> BufferedReader:
        """The bytes, to be read from any position."""

    def read(self, sha256: str) -> bytes:
        """All of a small file. Raises Damaged."""
        with self.open(sha256) as file:
            content = file.read()
        check(sha256, hashlib.sha256(content).hexdigest())
        return content

    @abstractmethod
    def local(self, sha256: str, folder: Path) -> Path:
        """A file of this machine with the bytes, only to be read, as long as `folder` is there, whoever forgets it."""

    @abstractmethod
    def copy(self, sha256: str, path: Path) -> None:
        """Let the bytes be a new file of an attempt's staging, as if it had written them."""

    @abstractmethod
    def link(self, sha256: str, media_type: str, disposition: str) -> str | None:
        """An address that hands out the bytes for a minute under these headers; None where we hand them out."""

    @abstractmethod
    def collect(self, shard: int, age: float, named: Named) -> int:
        """Delete what is older than `age` seconds and not named, in one of the `SHARDS`. Returns how many files."""

    def check(self) -> None:
        """Try whether files can be kept. Raises OSError, ConfigError or StoreAway with a sentence for operators."""
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())

    def incoming(self) -> Path:
        folder = self.root / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for whoever has no job; it is gone afterwards."""
        with tempfile.TemporaryDirectory(dir=self.incoming()) as folder:
            yield Path(folder)

    def staging(self, job_id: UUID, attempt: int) -> Path:
        """The folder of one attempt, made when it is first asked for."""
        folder = self.root / "staging" / str(job_id) / str(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_staging(self, job_id: UUID, attempt: int) -> None:
        shutil.rmtree(self.root / "staging" / str(job_id) / str(attempt), ignore_errors=True)

    def old_staging(self, age: float) -> list[tuple[UUID, int]]:
        """The jobs and attempts whose staging nobody has touched for `age` seconds."""
        folders = filter(older(age), (self.root / "staging").glob("*/*"))
        return [(UUID(folder.parent.name), int(folder.name)) for folder in folders]

    def clear_incoming(self, age: float) -> int:
        """Delete uploads that were never finished and scratch that was left. Returns how many."""
        stale = list(filter(older(age), (self.root / "incoming").glob("*")))
        for path in stale:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(stale)


def store() -> Store:
    """The current app's."""
    found: Store = current_app.extensions["files"]
    return found


def copied(source: IO[bytes], target: IO[bytes], most: int | None = None) -> Stored:
    """Write a stream to a file, in little memory. Raises TooLong beyond `most` bytes."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if most is not None and size > most:
            raise TooLong(size)
        target.write(chunk)
    return Stored(digest.hexdigest(), size)


def check(sha256: str, found: str) -> None:
    """Raises Damaged."""
    if sha256 != found:
        raise Damaged


def older(seconds: float) -> Callable[[Path], bool]:
    """Whether a path was last changed more than so many seconds ago, by the machine's own clock; no if it is gone."""
    limit = time.time() - seconds

    def is_older(path: Path) -> bool:
        try:
            return path.stat().st_mtime < limit
        except FileNotFoundError:
            return False

    return is_older
