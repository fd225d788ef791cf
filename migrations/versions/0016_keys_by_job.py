"""An index by which the idempotency keys of a job are found: whoever deletes a job deletes them, too."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"

NAME = "ix_idempotency_keys_job"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            op.create_index(NAME, "idempotency_keys", ["job_id"], postgresql_concurrently=True, if_not_exists=True)
    else:
        op.create_index(NAME, "idempotency_keys", ["job_id"])


def downgrade() -> None:
    op.drop_index(NAME, table_name="idempotency_keys", if_exists=True)
