"""How many threads a web process has, and what they are for."""

from __future__ import annotations

LINE = 4  # requests that may wait for each that runs; each has a thread, or nobody could tell it that it is too many


def threads(requests: int, watchers: int) -> int:
    """What a process needs of which `requests` run at once and `watchers` pages are kept up to date."""
    return (1 + LINE) * requests + watchers
