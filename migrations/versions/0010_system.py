"""Indexes for the system page: how jobs ended lately, what waits for a person, the audits that were asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

OUTCOMES = "to_state IN ('succeeded', 'uncertain', 'failed', 'cancelled', 'expired', 'retrying')"
INDEXES = (
    ("ix_job_events_outcomes", "job_events", ["to_state", "at"], OUTCOMES),
    ("ix_jobs_uncertain", "jobs", ["finished_at"], "state = 'uncertain'"),
    ("ix_jobs_audits", "jobs", ["id"], "kind = 'system.audit'"),
)


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def downgrade() -> None:
    for name, table, _, where in reversed(INDEXES):
        op.drop_index(name, table_name=table, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
