"""Count the mails that each owner hands in a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("users", sa.Column("mails_today", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("mails_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "mails_on")
    op.drop_column("users", "mails_today")
