"""Indexes for a ledger of ten million jobs: what the relay, the gauges and a deletion read, and no more than they read.

Two of the old ones go. The end of a lease is in no index any more, so that a heartbeat writes the row alone; and of the
queued jobs those without a hint are found by themselves. The program of before finds its rows by the new ones.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

NEW = (
    ("ix_jobs_oldest", "jobs", ["kind", "run_at"], "state = 'queued' AND priority >= 0"),
    ("ix_jobs_unsent", "jobs", ["queue"], "state = 'queued' AND published_at IS NULL"),
    ("ix_jobs_running", "jobs", ["kind", "lease_owner"], "state = 'running'"),
    ("ix_datasets_job", "datasets", ["job_id"], "job_id IS NOT NULL"),
)
OLD = (
    ("ix_jobs_unpublished", "jobs", ["published_at"], "state = 'queued'"),
    ("ix_jobs_lease", "jobs", ["lease_until"], "state = 'running'"),
)
Indexes = tuple[tuple[str, str, list[str], str], ...]


def upgrade() -> None:
    _replace(OLD, NEW)


def downgrade() -> None:
    _replace(NEW, OLD)


def _replace(old: Indexes, new: Indexes) -> None:
    """The new ones first, so that nothing is without one."""
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            _change(old, new, concurrently=True)
    else:
        _change(old, new, concurrently=False)


def _change(old: Indexes, new: Indexes, *, concurrently: bool) -> None:
    for name, table, columns, condition in new:
        where = sa.text(condition)
        op.create_index(
            name, table, columns, postgresql_where=where, sqlite_where=where, postgresql_concurrently=concurrently,
            if_not_exists=True,
        )  # fmt: skip
    for name, table, _, _ in old:
        op.drop_index(name, table_name=table, postgresql_concurrently=concurrently, if_exists=True)
