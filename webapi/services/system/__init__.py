"""The whole system as an administrator sees it: counts, kinds, ids and ages; never payloads or addresses.

Whatever a page asks here each few seconds reads a bounded number of rows, however many jobs there are. A count stops
at `CAP` and then says so.
"""

from __future__ import annotations

CAP = 5_000  # a count of more is "more than 5,000": nobody acts differently on the exact figure

__all__ = ["CAP"]
