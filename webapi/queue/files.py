"""The file store: bytes named by their SHA-256, on a local disk. Bytes come before the row that names them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO
from uuid import UUID

from webapi.failpoints import failpoint

CHUNK = 1024 * 1024
SHARDS = 256  # folders of the store, by the first two digits of the hash


@dataclass(frozen=True)
class Stored:
    """Bytes that are on the disk: their SHA-256 in hexadecimal and how many they are."""

    sha256: str
    size: int


class TooLong(Exception):
    """A stream has more bytes than it may; `size` of them were seen."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__()


class FileStore:
    """`objects/ab/abcd…` for what is kept, `staging/<job>/<attempt>/` for what an attempt is writing."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def path(self, sha256: str) -> Path:
        return self.root / "objects" / sha256[:2] / sha256

    def local(self, sha256: str, folder: Path) -> Path:
        """The bytes for as long as `folder` is there, whoever forgets them meanwhile: a name of their own in it.

        Where no such name can be had, on another disk or of another user's file, the path in the store.
        """
        path = folder / sha256
        try:
            os.link(self.path(sha256), path)
        except FileExistsError:
            pass
        except OSError:
            return self.path(sha256)
        return path

    def put(self, stream: IO[bytes], most: int | None = None) -> Stored:
        """Keep a stream. When this returns, the bytes survive a power cut. Raises TooLong beyond `most` bytes."""
        incoming = self.root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    _check(size, most)
                    file.write(chunk)
        except BaseException:
            Path(name).unlink()
            raise
        return self._keep(Path(name), digest.hexdigest(), size)

    def keep(self, path: Path) -> Stored:
        """Move a finished file of an attempt's staging into the store."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return self._keep(path, digest, path.stat().st_size)

    def staging(self, job_id: UUID, attempt: int) -> Path:
        """The folder of one attempt, made when it is first asked for."""
        folder = self.root / "staging" / str(job_id) / str(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_staging(self, job_id: UUID, attempt: int) -> None:
        shutil.rmtree(self.root / "staging" / str(job_id) / str(attempt), ignore_errors=True)

    def old(self, shard: int, age: float, batch: int) -> Iterator[list[str]]:
        """The hashes in the folder of that number (0 to 255) whose files are older than `age` seconds, in batches."""
        paths = filter(older(age), (self.root / "objects" / f"{shard:02x}").glob("*"))
        while hashes := [path.name for path in islice(paths, batch)]:
            yield hashes

    def set_aside(self) -> list[str]:
        """The hashes of what a `discard` that was cut short has left in between."""
        return [path.name for path in (self.root / "trash").glob("*")]

    def discard(self, sha256: str, age: float, is_named: Callable[[str], bool]) -> bool:
        """Delete a file, unless it has become young or named since somebody looked. Whether it is gone.

        It is set aside first and looked at again: whoever keeps the same bytes at this moment puts a
        new file in its place, which is not touched.
        """
        aside = self.root / "trash" / sha256
        aside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path(sha256).replace(aside)
        if older(age)(aside) and not is_named(sha256):
            aside.unlink(missing_ok=True)
            return True
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(aside, self.path(sha256))
        aside.unlink(missing_ok=True)
        return False

    def old_staging(self, age: float) -> list[tuple[UUID, int]]:
        """The jobs and attempts whose staging nobody has touched for `age` seconds."""
        folders = filter(older(age), (self.root / "staging").glob("*/*"))
        return [(UUID(folder.parent.name), int(folder.name)) for folder in folders]

    def clear_incoming(self, age: float) -> int:
        """Delete uploads that were never finished. Returns how many."""
        stale = list(filter(older(age), (self.root / "incoming").glob("*")))
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _keep(self, path: Path, sha256: str, size: int) -> Stored:
        """fsync, rename, fsync the folder: after a crash there is the whole file or none."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
        target = self.path(sha256)
        failpoint("A1")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        for folder in (target.parent, target.parent.parent):
            _sync(folder)
        return Stored(sha256, size)


def _check(size: int, most: int | None) -> None:
    if most is not None and size > most:
        raise TooLong(size)


def older(seconds: float) -> Callable[[Path], bool]:
    """Whether a path was last changed more than so many seconds ago, by the machine's own clock; no if it is gone."""
    limit = time.time() - seconds

    def is_older(path: Path) -> bool:
        try:
            return path.stat().st_mtime < limit
        except FileNotFoundError:
            return False

    return is_older


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
