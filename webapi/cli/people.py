"""`flask users …` and `flask keys …`."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy.exc import IntegrityError

from webapi.cli.asking import person
from webapi.services import accounts, keys, passwords
from webapi.services.addresses import normal

users = AppGroup("users", help="Create people.")


@users.command("create")
@click.argument("email")
@click.option("--name", default="", help="How they are called; their address when left out.")
@click.option("--admin", is_flag=True, help="Make them an administrator.")
@click.password_option()
def create_user(email: str, name: str, admin: bool, password: str) -> None:
    """Create a person whose address counts as confirmed."""
    try:
        accounts.create(normal(email), name or email, passwords.acceptable(password), verified=True, admin=admin)
    except ValueError as error:
        raise click.ClickException(f"That was not taken: {error}.") from None
    except IntegrityError:
        raise click.ClickException(f"{email} is already registered.") from None
    click.echo(f"{email} can sign in.")


key_commands = AppGroup("keys", help="Create API keys.")


@key_commands.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True)
def create_key(email: str, name: str) -> None:
    """Create an API key for a person and print it; it cannot be shown again."""
    click.echo(keys.create(person(email), name))
