"""How Alembic reaches the app's database. `flask db upgrade` runs this inside the app's context."""

from __future__ import annotations

from alembic import context
from flask import current_app

from webapi.models.upgrading import alone, mend, patient

database = current_app.extensions["migrate"].db


def upgrade() -> None:
    """Run what is missing, by one process at a time; a second one waits and then finds nothing to do.

    On PostgreSQL each migration has a transaction of its own. On SQLite all have one: it takes the writer's lock before
    it looks which are missing.
    """
    with alone(database.engine):
        mend(database.engine, context.script)
        with database.engine.connect().execution_options(webapi_writes=True) as connection, patient(connection):
            is_postgresql = connection.dialect.name == "postgresql"
            context.configure(
                connection=connection,
                target_metadata=database.metadata,
                transactional_ddl=True,
                transaction_per_migration=is_postgresql,
            )
            with context.begin_transaction():
                context.run_migrations()


if context.is_offline_mode():
    context.configure(url=str(database.engine.url), target_metadata=database.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    upgrade()
