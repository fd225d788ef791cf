"""Datasets: tables that people hand in as files, under the names by which their statements call them."""

from webapi.services.datasets.changing import correct, create, remove, rename, replace
from webapi.services.datasets.finding import dependents, find, of, preview, sources, standing

__all__ = [
    "correct",
    "create",
    "dependents",
    "find",
    "of",
    "preview",
    "remove",
    "rename",
    "replace",
    "sources",
    "standing",
]
