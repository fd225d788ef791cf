"""How often PostgreSQL tidies the table of jobs, which is by its turnover and not by its size.

A claim passes over the index entries of all that was claimed since the last vacuum, and its plan knows of a backlog
what the last ANALYZE saw. By default both wait for a share of the table, which is two million rows of ten. A vacuum
that finds few rows to remove also leaves the indexes as they are, unless it is told.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

SETTINGS = {
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0",
    "autovacuum_analyze_threshold": "10000",
    "vacuum_index_cleanup": "on",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE jobs SET ({', '.join(f'{name} = {value}' for name, value in SETTINGS.items())})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE jobs RESET ({', '.join(SETTINGS)})")
