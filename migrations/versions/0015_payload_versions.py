"""The version of each payload, and which versions a worker knows: programs of two versions work side by side."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("payload_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("schedules", sa.Column("payload_version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("workers", sa.Column("kinds", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "kinds")
    op.drop_column("schedules", "payload_version")
    op.drop_column("jobs", "payload_version")
