"""Quick kinds, which are claimed and finished in sets. None is public."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from celery.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel

from webapi.queue import job


class Line(BaseModel):
    """A line to leave, and whether to kill the own process after that."""

    path: str = ""
    name: str = ""
    crash: bool = False


@job("test.quick", batch=16)
def leave_line(line: Line) -> str:
    """Leave one line."""
    with Path(line.path).open("a") as file:
        file.write(line.name + "\n")
    if line.crash:
        os.kill(os.getpid(), signal.SIGKILL)
    return line.name


@job("test.heedless", batch=16, soft_time_limit=1, time_limit=3)
def leave_line_heedlessly(line: Line) -> str:
    """Leave one line; one that would crash takes no notice of its limits instead."""
    leave_line(line.model_copy(update={"crash": False}))
    end = time.monotonic() + 60 * line.crash
    while time.monotonic() < end:
        with contextlib.suppress(SoftTimeLimitExceeded):
            time.sleep(1)
    return line.name
