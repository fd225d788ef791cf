"""Indices for the lists of jobs by kind, by error and by tag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.drop_index("ix_jobs_owner_state", table_name="jobs")
    op.create_index("ix_jobs_owner_state", "jobs", ["owner_id", "state", "id"], postgresql_include=["kind"])
    op.create_index("ix_jobs_owner_kind", "jobs", ["owner_id", "kind", "id"])
    has_error = sa.text("error_code IS NOT NULL")
    op.create_index(
        "ix_jobs_owner_error",
        "jobs",
        ["owner_id", "error_code", "id"],
        postgresql_where=has_error,
        sqlite_where=has_error,
    )
    op.create_index(
        "ix_jobs_tags",
        "jobs",
        ["tags"],
        postgresql_using="gin",
        postgresql_ops={"tags": "jsonb_path_ops"},
        postgresql_where=sa.text("tags <> '[]'::jsonb"),
        sqlite_where=sa.text("tags IS NULL"),
    )


def downgrade() -> None:
    for index in ("ix_jobs_tags", "ix_jobs_owner_error", "ix_jobs_owner_kind"):
        op.drop_index(index, table_name="jobs")
    op.drop_index("ix_jobs_owner_state", table_name="jobs")
    op.create_index("ix_jobs_owner_state", "jobs", ["owner_id", "state", "id"])
