"""Which rows name a file's bytes: asked for each file that may be an orphan."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_artifacts_sha256", "artifacts", ["sha256"])
    op.create_index("ix_uploads_sha256", "uploads", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_uploads_sha256", "uploads")
    op.drop_index("ix_artifacts_sha256", "artifacts")
