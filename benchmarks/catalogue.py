"""The kinds of the benchmarks, for an app that is made after `add`."""

from __future__ import annotations

from pathlib import Path

import webapi.tasks

KINDS = str(Path(__file__).resolve().parent / "kinds")


def add() -> None:
    """Let them be found beside the product's own."""
    if KINDS not in webapi.tasks.__path__:
        webapi.tasks.__path__.append(KINDS)
