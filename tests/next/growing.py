"""The kind of `tests/kinds/growing.py` as the next version of the program has it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from webapi.queue import job


class Grown(BaseModel):
    """Where to leave a line for each name, and how long to work on it."""

    path: str
    names: list[str]
    seconds: float = 0.0


def from_one(document: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in document.items() if name != "name"}, "names": [document["name"]]}


@job("test.growing", soft_time_limit=10, time_limit=20, version=2, upgrades={1: from_one})
def leave_names(grown: Grown) -> str:
    """Leave some names."""
    time.sleep(grown.seconds)
    with Path(grown.path).open("a") as file:
        file.write("".join(f"{name} by 2 {os.getpid()}\n" for name in grown.names))
    return "2"
