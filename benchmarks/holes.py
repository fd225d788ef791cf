"""Room for single rows, which only a table has that was filled at once.

Its pages are full but for a remainder each, in which one small row fits, and after a VACUUM the next jobs go there:
each into a page of its own, which the write-ahead log takes whole after a checkpoint. A ledger that has lived has room
for many rows in a page, since each job leaves two dead versions of its row behind.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from webapi.extensions import db

PAGES = text(
    "SELECT count(DISTINCT (CAST(CAST(ctid AS text) AS point))[0])"
    " FROM (SELECT ctid FROM jobs ORDER BY id DESC LIMIT :jobs) AS newest"
)
TOGETHER = 10  # jobs in a page, at least
MOST = 500  # calls; with ten million jobs it took about ten of a thousand


def fill_holes(accept: Callable[[], int]) -> None:
    """Call `accept`, which says how many jobs it accepted, until those of one call lie together. PostgreSQL only.

    Raises RuntimeError when that does not come to an end.
    """
    for _ in range(MOST):
        jobs = accept()
        pages: int = db.session.execute(PAGES, {"jobs": jobs}).scalar_one()
        db.session.rollback()
        if pages * TOGETHER <= jobs:
            return
    raise RuntimeError("New jobs still lie each in a page of its own.")
