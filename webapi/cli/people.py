"""`flask users …` and `flask keys …`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup
from sqlalchemy.exc import IntegrityError

from webapi.cli.asking import answer, person
from webapi.models import Role, Scope
from webapi.queue import room
from webapi.services import accounts, invitations, keys, passwords
from webapi.services.addresses import normal
from webapi.services.trail import COMMAND_LINE

ROLES = click.Choice([role.value for role in Role])

users = AppGroup("users", help="Create and invite people, and give them roles.")


@users.command("create")
@click.argument("email")
@click.option("--name", default="", help="How they are called; their address when left out.")
@click.option("--admin", is_flag=True, help="Make them an administrator.")
@click.option("--role", type=ROLES, default=Role.USER.value, show_default=True)
@click.password_option()
def create_user(email: str, name: str, admin: bool, role: str, password: str) -> None:
    """Create a person whose address counts as confirmed."""
    given = Role.ADMINISTRATOR if admin else Role(role)
    try:
        password = passwords.acceptable(password)
        accounts.create(normal(email), name or email, password, verified=True, role=given, actor=COMMAND_LINE)
    except ValueError as error:
        raise click.ClickException(f"That was not taken: {error}.") from None
    except IntegrityError:
        raise click.ClickException(f"{email} is already registered.") from None
    click.echo(f"{email} can sign in.")


@users.command("role")
@click.argument("email")
@click.argument("role", type=ROLES)
def give_role(email: str, role: str) -> None:
    """Make somebody a viewer, a user or an administrator, from their next request on."""
    accounts.set_role(person(email), Role(role), COMMAND_LINE)
    click.echo(f"{email} is {role} now.")


@users.command("admin")
@click.argument("email")
def make_admin(email: str) -> None:
    """Make somebody an administrator."""
    accounts.set_role(person(email), Role.ADMINISTRATOR, COMMAND_LINE)
    click.echo(f"{email} is administrator now.")


@users.command("recount")
def recount_storage() -> None:
    """Count the bytes that people keep anew, where their number is wrong."""
    click.echo(f"{room.recount()} numbers were wrong.")


@users.command("invite")
@click.argument("email")
@click.option("--role", type=ROLES, default=Role.USER.value, show_default=True)
@click.option("--mail", is_flag=True, help="Mail the link too, now.")
def invite(email: str, role: str, mail: bool) -> None:
    """Print a link by which somebody makes their account, also where registration is closed: once, within a week."""
    try:
        address = normal(email)
    except ValueError as error:
        raise click.ClickException(f"That was not taken: {error}.") from None
    ticket = answer(invitations.invite, address, Role(role), COMMAND_LINE)
    click.echo(invitations.link(ticket))
    if mail:
        answer(invitations.send, ticket)


key_commands = AppGroup("keys", help="Create API keys.")


@key_commands.command("create")
@click.argument("email")
@click.option("--name", default="command line", show_default=True)
@click.option("--test", is_flag=True, help="A test key: everything runs, nothing leaves.")
@click.option("--scope", "scopes", type=click.Choice([each.value for each in Scope]), multiple=True, help="Repeatable.")
@click.option("--kind", help="Only for jobs of this kind.")
@click.option("--expires", help="When it ends: 90d, or a day such as 2027-01-31. Left out, never.")
def create_key(
    email: str, name: str, test: bool, scopes: tuple[str, ...], kind: str | None, expires: str | None
) -> None:
    """Create an API key for a person and print it; it cannot be shown again. Without --scope it may do everything."""
    granted = [Scope(each) for each in scopes] or list(Scope)
    ends = _moment(expires) if expires else None
    options = {"scopes": granted, "kind": kind, "expires_at": ends, "actor": COMMAND_LINE}
    click.echo(answer(keys.create, person(email), name, test, **options))


def _moment(given: str) -> datetime:
    """`90d` from now, or the end of a day in UTC."""
    if re.fullmatch(r"[1-9]\d{0,4}d", given):
        return datetime.now(UTC) + timedelta(days=int(given[:-1]))
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):  # the day after the last one that there is
        raise click.ClickException(f"--expires {given}: write 90d, or a day such as 2027-01-31.") from None
