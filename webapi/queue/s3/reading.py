"""An object as a file that can be read from any position, with an answer that may break off."""

from __future__ import annotations

import errno
import io
from typing import Any

from botocore.exceptions import ClientError

from webapi.errors import StoreAway
from webapi.queue.s3.calls import TRIES, Calls, go_on
from webapi.queue.s3.faults import away, code_of

BUFFER = 1 << 18  # bytes


def reading(calls: Calls, key: str, size: int) -> io.BufferedReader:
    """Nothing is asked for before it is read."""
    return io.BufferedReader(_Body(calls, key, size), BUFFER)


class _Body(io.RawIOBase):
    """An answer that breaks off is asked for again from there: what has a key never changes."""

    def __init__(self, calls: Calls, key: str, size: int) -> None:
        self._calls, self._key, self._size = calls, key, size
        self._position = 0
        self._answer: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if place != self._position:
            self._drop()
        self._position = place
        return place

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        content = self._read(wanted)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        self._drop()
        super().close()

    def _read(self, wanted: int) -> bytes:
        go_on()
        for _ in range(1, TRIES):
            try:
                return self._some(wanted)
            except StoreAway:
                self._drop()
        return self._some(wanted)

    def _some(self, wanted: int) -> bytes:
        with away():
            if self._answer is None:
                self._answer = self._asked()
            content: bytes = self._answer.read(wanted)
            if not content:
                raise OSError(errno.EIO, "the answer is shorter than the file")
            return content

    def _asked(self) -> Any:
        try:
            return self._calls.ask("get_object", Key=self._key, Range=f"bytes={self._position}-")["Body"]
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                raise gone(self._key) from None
            raise

    def _drop(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None


def gone(key: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "No such file or directory", key)
