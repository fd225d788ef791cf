"""Roles, sessions that end one by one, keys with scopes and an end, links that work once, an audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.TIMESTAMP(timezone=True).with_variant(sa.Float(53), "sqlite")
# Both databases read this; Alembic's own way would make SQLite's table again, to which everything refers.
ROLE = (
    "ALTER TABLE users ADD COLUMN role VARCHAR(20) DEFAULT 'user' NOT NULL "
    "CONSTRAINT ck_users_known_role CHECK (role IN ('viewer', 'user', 'administrator'))"
)


def upgrade() -> None:
    """Existing keys keep every scope. Whoever is signed in signs in again: their cookies name no session."""
    op.execute(ROLE)
    op.execute("UPDATE users SET role = 'administrator' WHERE is_admin")
    op.drop_column("users", "is_admin")
    every = sa.text("'submit read manage'")
    op.add_column("api_keys", sa.Column("scopes", sa.String(length=40), nullable=False, server_default=every))
    op.add_column("api_keys", sa.Column("kind", sa.String(length=100), nullable=True))
    op.add_column("api_keys", sa.Column("expires_at", MOMENT, nullable=True))
    _sessions()
    _tickets()
    _trail()


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sessions_public_id")),
    )
    op.create_index("ix_sessions_user", "sessions", ["user_id", "last_seen_at"])


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_before", sa.String(length=320), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tickets_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_user", "tickets", ["user_id", "purpose"])


def _trail() -> None:
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("on_what", sa.String(length=200), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_trail")),
    )
    op.create_index("ix_audit_trail_user", "audit_trail", ["user_id", "id"])


def downgrade() -> None:
    """Viewers become people who may do everything that a person may: before, there was nothing less."""
    for table in ("audit_trail", "tickets", "sessions"):
        op.drop_table(table)
    for column in ("expires_at", "kind", "scopes"):
        op.drop_column("api_keys", column)
    op.add_column("users", sa.Column("is_admin", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE users SET is_admin = (role = 'administrator')")
    op.drop_column("users", "role")
