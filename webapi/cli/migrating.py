"""`flask db`: Flask-Migrate's commands, imported when one of them is called."""

from __future__ import annotations

from importlib import import_module

import click


@click.command(
    "db", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def migrations(context: click.Context, words: tuple[str, ...]) -> None:
    """Perform database migrations."""
    group: click.Group = import_module("flask_migrate.cli").db
    with group.make_context("db", list(words), parent=context.parent) as inner:
        group.invoke(inner)
