"""The kinds, one file each. A file that is put here is found; nothing else has to know of it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from webapi.queue import DECLARATION, Kind, PlainTask


def jobs() -> list[Kind]:
    """Every kind that is declared in this package, by name."""
    found = [getattr(value, DECLARATION) for value in _values() if hasattr(value, DECLARATION)]
    return sorted(found, key=lambda kind: kind.name)


def plain() -> list[PlainTask[Any, Any]]:
    """Every plain Celery task that is declared in this package."""
    return [value for value in _values() if isinstance(value, PlainTask)]


def _values() -> Iterator[Any]:
    """What the modules define themselves; what they import is somebody else's."""
    for module in _modules():
        for value in vars(module).values():
            if getattr(value, "__module__", None) == module.__name__ or isinstance(value, PlainTask):
                yield value


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(__path__):
        yield import_module(f"{__name__}.{found.name}")
