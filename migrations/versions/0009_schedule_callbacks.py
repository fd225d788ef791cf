"""Schedules say whom to tell when one of their jobs is over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("schedules", sa.Column("callback_url", sa.String(2000), nullable=True))


def downgrade() -> None:
    op.drop_column("schedules", "callback_url")
