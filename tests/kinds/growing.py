"""A kind as the version of today has it; `tests/next` has the next version's."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pydantic import BaseModel

from webapi.queue import job


class Grown(BaseModel):
    """Where to leave a line, and how long to work on it."""

    path: str
    name: str
    seconds: float = 0.0


@job("test.growing", soft_time_limit=10, time_limit=20)
def leave_name(grown: Grown) -> str:
    """Leave a name."""
    time.sleep(grown.seconds)
    with Path(grown.path).open("a") as file:
        file.write(f"{grown.name} by 1 {os.getpid()}\n")
    return "1"
