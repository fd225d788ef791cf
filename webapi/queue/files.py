"""The file store: bytes named by their SHA-256, on a local disk. Bytes come before the row that names them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from webapi.failpoints import failpoint

CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Stored:
    """Bytes that are on the disk: their SHA-256 in hexadecimal and how many they are."""

    sha256: str
    size: int


class FileStore:
    """`objects/ab/abcd…` for what is kept, `staging/<job>/<attempt>/` for what an attempt is writing."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def path(self, sha256: str) -> Path:
        return self.root / "objects" / sha256[:2] / sha256

    def put(self, stream: IO[bytes]) -> Stored:
        """Keep a stream. When this returns, the bytes survive a power cut."""
        incoming = self.root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
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


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
