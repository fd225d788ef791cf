"""Fill a peer's queue: `python -m benchmarks.peers.filling huey_rows 1000` publishes so many tasks of that module.

Who keeps a row for each task gets them; without a number only the table is made.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main(module: str, count: int) -> None:
    """Publish so many."""
    peer = import_module(f"benchmarks.peers.{module}")
    if rows := getattr(peer, "rows", None):
        rows.make(count)
    for number in range(1, count + 1):
        peer.publish(number)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
