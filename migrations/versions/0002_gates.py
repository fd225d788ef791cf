"""What holds work back: a counter of open jobs for each owner, and a gate for each kind. Schedules get names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.TIMESTAMP(timezone=True).with_variant(sa.Float(53), "sqlite")


def upgrade() -> None:
    # Columns are added in place: SQLite's way of making a table again would delete what refers to it.
    op.add_column("users", sa.Column("open_jobs", sa.Integer(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE users SET open_jobs = (SELECT count(*) FROM jobs WHERE owner_id = users.id"
        " AND state IN ('scheduled', 'queued', 'running', 'retrying'))"
    )
    op.create_table(
        "gates",
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("ready_at", MOMENT, nullable=True),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("paused_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_gates")),
    )
    op.add_column("schedules", sa.Column("name", sa.String(length=100), nullable=False, server_default=sa.text("''")))
    op.add_column("schedules", sa.Column("problem", sa.String(length=500), nullable=True))


def downgrade() -> None:
    op.drop_column("schedules", "problem")
    op.drop_column("schedules", "name")
    op.drop_table("gates")
    op.drop_column("users", "open_jobs")
