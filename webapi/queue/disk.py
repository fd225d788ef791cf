"""The file store on a local disk: `objects/ab/abcd…`. Web and workers see the same folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import BufferedReader
from itertools import islice
from pathlib import Path

from webapi.failpoints import failpoint
from webapi.queue.files import Named, Store, Stored, older

BATCH = 500


class DiskStore(Store):
    """Files are moved into their place, so that there is the whole file or none."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.where = str(self.root)

    def path(self, sha256: str) -> Path:
        return self.root / "objects" / sha256[:2] / sha256

    def open(self, sha256: str) -> BufferedReader:
        return self.path(sha256).open("rb")

    def local(self, sha256: str, folder: Path) -> Path:
        """A name of its own in `folder`; where none can be had, on another disk or of another user's file, the path."""
        path = folder / sha256
        try:
            os.link(self.path(sha256), path)
        except FileExistsError:
            pass
        except OSError:
            return self.path(sha256)
        return path

    def copy(self, sha256: str, path: Path) -> None:
        path.unlink(missing_ok=True)
        os.link(self.path(sha256), path)
        os.utime(path)  # nobody clears away what is young

    def link(self, sha256: str, media_type: str, disposition: str) -> str | None:
        return None

    def collect(self, shard: int, age: float, named: Named) -> int:
        removed = sum(self.discard(sha256, age, named) for sha256 in self.set_aside())
        for hashes in self.old(shard, age):
            for sha256 in set(hashes) - named(hashes):
                removed += self.discard(sha256, age, named)
        return removed

    def old(self, shard: int, age: float) -> Iterator[list[str]]:
        """The hashes in the folder of that number (0 to 255) whose files are older than `age` seconds, in batches."""
        paths = filter(older(age), (self.root / "objects" / f"{shard:02x}").glob("*"))
        while hashes := [path.name for path in islice(paths, BATCH)]:
            yield hashes

    def set_aside(self) -> list[str]:
        """The hashes of what a `discard` that was cut short has left in between."""
        return [path.name for path in (self.root / "trash").glob("*")]

    def discard(self, sha256: str, age: float, named: Named) -> bool:
        """Delete a file, unless it has become young or named since somebody looked. Whether it is gone.

        It is set aside first and looked at again: whoever keeps the same bytes at this moment puts a
        new file in its place, which is not touched.
        """
        aside = self.root / "trash" / sha256
        aside.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path(sha256).replace(aside)
        if older(age)(aside) and not named([sha256]):
            aside.unlink(missing_ok=True)
            return True
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            os.link(aside, self.path(sha256))
        aside.unlink(missing_ok=True)
        return False

    def _take(self, path: Path, stored: Stored) -> None:
        """fsync, rename, fsync the folder: after a crash there is the whole file or none."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
        target = self.path(stored.sha256)
        failpoint("A1")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        for folder in (target.parent, target.parent.parent):
            _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
