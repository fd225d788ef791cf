"""Fair turns between owners, and a counter of the bytes that each owner keeps.

On PostgreSQL it can run beside a busy system: the columns have constant defaults, the indexes are of queued jobs only and are
built concurrently, and no row is rewritten but the queued jobs and the owners. Processes of the version before go on:
what they accept goes first. An index whose building was cut short is left invalid; drop it and upgrade again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

QUEUED = "state = 'queued'"
INDEXES = {
    "ix_jobs_turn": ["kind", "turn", "id"],
    "ix_jobs_line": ["kind", "owner_id", "priority", "run_at", "id"],
    "ix_jobs_last_turn": ["kind", "owner_id", "turn"],
}
LINE_UP = """
UPDATE jobs SET turn = line.place FROM (
    SELECT id, row_number() OVER (PARTITION BY kind, owner_id ORDER BY priority, run_at, id) AS place
    FROM jobs WHERE state = 'queued'
) AS line WHERE jobs.id = line.id
"""
COUNT_OPEN = """
UPDATE users SET open_jobs = (
    SELECT count(*) FROM jobs WHERE owner_id = users.id AND state IN ('scheduled', 'queued', 'running', 'retrying')
)
"""
LEAVE_OUT_CALLS = """
UPDATE users SET open_jobs = open_jobs - (
    SELECT count(*) FROM jobs WHERE owner_id = users.id AND state IN ('scheduled', 'queued', 'running', 'retrying')
    AND parent_id IS NOT NULL AND kind = 'http.call'
)
"""
ADD_UP = """
UPDATE users SET storage_bytes = (SELECT coalesce(sum(size), 0) FROM uploads WHERE owner_id = users.id)
    + (SELECT coalesce(sum(size), 0) FROM datasets WHERE owner_id = users.id)
    + (SELECT coalesce(sum(artifacts.size), 0) FROM artifacts JOIN jobs ON jobs.id = artifacts.job_id
       WHERE jobs.owner_id = users.id)
"""


def upgrade() -> None:
    op.add_column("jobs", sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("storage_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    for change in (LINE_UP, LEAVE_OUT_CALLS, ADD_UP):
        op.execute(change)
    _replace(["ix_jobs_claim"], INDEXES)


def downgrade() -> None:
    _replace(list(INDEXES), {"ix_jobs_claim": ["kind", "priority", "run_at"]})
    op.execute(COUNT_OPEN)
    op.drop_column("users", "storage_bytes")
    op.drop_column("jobs", "turn")


def _replace(old: list[str], new: dict[str, list[str]]) -> None:
    """The new ones first, so that no claim is without one."""
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            _create(new, concurrently=True)
    else:
        _create(new)
    for name in old:
        op.drop_index(name, table_name="jobs", if_exists=True)


def _create(indexes: dict[str, list[str]], *, concurrently: bool = False) -> None:
    for name, columns in indexes.items():
        where = sa.text(QUEUED)
        op.create_index(
            name, "jobs", columns, postgresql_where=where, sqlite_where=where, postgresql_concurrently=concurrently,
            if_not_exists=True,
        )  # fmt: skip
