"""Mail as a product: templates, senders, suppressions, mailings; effects that are held, or that bounced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.TIMESTAMP(timezone=True).with_variant(sa.Float(53), "sqlite")
BEFORE = "state IN ('pending', 'inflight', 'done', 'refused', 'unknown')"
SINCE = "state IN ('pending', 'inflight', 'done', 'refused', 'unknown', 'held')"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("sandbox", sa.Boolean(), nullable=False, server_default=sa.false()))
    parents = sa.text("parent_id IS NOT NULL")
    op.create_index("ix_jobs_parent", "jobs", ["parent_id", "state"], postgresql_where=parents, sqlite_where=parents)
    _effects(SINCE)
    op.add_column("effects", sa.Column("released", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("effects", sa.Column("bounced_at", MOMENT, nullable=True))
    op.add_column("effects", sa.Column("bounce", sa.String(length=500), nullable=True))
    mails = sa.text("kind = 'mail'")
    op.create_index("ix_effects_recipient", "effects", ["effect_key"], postgresql_where=mails, sqlite_where=mails)
    _templates()
    _addresses()
    _mailings()


def _effects(states: str) -> None:
    """Nothing refers to this table, so that SQLite may make it again."""
    with op.batch_alter_table("effects") as table:
        table.drop_constraint(op.f("ck_effects_known_state"), type_="check")
        table.create_check_constraint(op.f("ck_effects_known_state"), states)


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_templates_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_templates_owner_id_name")),
    )
    op.create_table(
        "template_versions",
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("layout", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["templates.id"],
            name=op.f("fk_template_versions_template_id_templates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("template_id", "version", name=op.f("pk_template_versions")),
    )


def _addresses() -> None:
    op.create_table(
        "senders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("reply_to", sa.String(length=320), nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_senders_owner_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_senders")),
        sa.UniqueConstraint("owner_id", "address", name=op.f("uq_senders_owner_id_address")),
    )
    op.create_table(
        "suppressions",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("reason IN ('manual', 'bounce', 'unsubscribe')", name=op.f("ck_suppressions_known_reason")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_suppressions_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "address", name=op.f("pk_suppressions")),
    )


def _mailings() -> None:
    op.create_table(
        "mailings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(length=320), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("recipients_sha256", sa.String(length=64), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("spread", sa.Integer(), nullable=False),
        sa.Column("spread_offset", sa.Integer(), nullable=False),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('checking', 'faulty', 'checked', 'sending')", name=op.f("ck_mailings_known_state")
        ),
        sa.ForeignKeyConstraint(["id"], ["jobs.id"], name=op.f("fk_mailings_id_jobs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_mailings_owner_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name=op.f("fk_mailings_upload_id_uploads")),
        sa.ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["template_versions.template_id", "template_versions.version"],
            name=op.f("fk_mailings_template_id_template_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailings")),
    )
    op.create_index("ix_mailings_owner", "mailings", ["owner_id", "id"])
    op.create_index("ix_mailings_recipients_sha256", "mailings", ["recipients_sha256"])
    once = sa.text("state = 'sending' AND NOT again")
    op.create_index(
        "uq_mailings_file",
        "mailings",
        ["owner_id", "template_id", "file_sha256"],
        unique=True,
        postgresql_where=once,
        sqlite_where=once,
    )


def downgrade() -> None:
    for table in ("mailings", "suppressions", "senders", "template_versions", "templates"):
        op.drop_table(table)
    op.drop_index("ix_effects_recipient", "effects")
    for column in ("bounce", "bounced_at", "released"):
        op.drop_column("effects", column)
    op.execute("UPDATE effects SET state = 'refused' WHERE state = 'held'")
    _effects(BEFORE)
    op.drop_index("ix_jobs_parent", "jobs")
    op.drop_column("jobs", "sandbox")
