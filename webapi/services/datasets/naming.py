"""How a dataset is called in statements."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from pathlib import Path

from webapi.errors import Fault, Invalid

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
RULE = "Use lower-case letters, digits and underscores, a letter first, 60 at most."
RESERVED = {"jobs", "receipts", "data"}  # what statements call the owner's own, and what stands for all datasets


def check(name: str) -> str:
    """The name, if a dataset may be called so. Raises Invalid."""
    if not NAME.fullmatch(name):
        raise Invalid(faults=(Fault("/name", RULE),))
    if name in RESERVED:
        raise Invalid(faults=(Fault("/name", f"{name!r} is the name of something else; choose another."),))
    return name


def suggested(file_name: str, taken: Container[str]) -> str:
    """A free name that reminds of the file's: `Umsätze 2026.csv` becomes `umsatze_2026`."""
    plain = unicodedata.normalize("NFKD", Path(file_name).stem).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50] or "table"
    stem = stem if stem[0].isalpha() else f"table_{stem}"
    name, number = stem, 1
    while name in taken or name in RESERVED:
        number += 1
        name = f"{stem}_{number}"
    return name
