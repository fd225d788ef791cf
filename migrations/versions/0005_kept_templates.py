"""Deleted templates keep their words for what was accepted with them; mails are found however an address is spelt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOMENT = sa.TIMESTAMP(timezone=True).with_variant(sa.Float(53), "sqlite")


def upgrade() -> None:
    op.add_column("templates", sa.Column("deleted_at", MOMENT, nullable=True))
    op.drop_index("ix_effects_recipient", "effects")
    _index_recipients("lower(effect_key)")


def downgrade() -> None:
    op.drop_index("ix_effects_recipient", "effects")
    _index_recipients("effect_key")
    op.drop_column("templates", "deleted_at")


def _index_recipients(by: str) -> None:
    mails = sa.text("kind = 'mail'")
    op.create_index("ix_effects_recipient", "effects", [sa.text(by)], postgresql_where=mails, sqlite_where=mails)
