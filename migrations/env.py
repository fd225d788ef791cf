"""How Alembic reaches the app's database. `flask db upgrade` runs this inside the app's context."""

from __future__ import annotations

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def upgrade() -> None:
    """Run the migrations in one transaction for each; SQLite takes its writer's lock at once."""
    with database.engine.connect().execution_options(webapi_writes=True) as connection:
        context.configure(connection=connection, target_metadata=database.metadata, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    upgrade()
