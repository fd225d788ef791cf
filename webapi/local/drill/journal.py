"""A log that survives whoever writes it: one JSON object a line, on the disk before anybody acts on it."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Journal:
    """Append-only, for any number of threads. `at` of a row is in seconds since 1970."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def add(self, what: str, **facts: Any) -> None:
        """When this returns, the row is on the disk."""
        with self._lock:
            os.write(self._file, json.dumps({"at": time.time(), "what": what, **facts}).encode() + b"\n")
        os.fsync(self._file)

    def rows(self) -> list[Row]:
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]
