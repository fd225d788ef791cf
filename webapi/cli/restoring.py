"""`flask recover …`: after an older copy of the database was put back."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import AppGroup, with_appcontext

from webapi.cli.asking import answer, person
from webapi.queue.control import Answer
from webapi.services.system import restoring
from webapi.services.system.restoring import Held

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=AppGroup, invoke_without_command=True, help="Hold what an older copy of the database might repeat.")
@click.option("--yes", is_flag=True, help="Do it. Without this, say only what would be held.")
@click.option("--stopped", is_flag=True, help="Every worker is stopped; those that the copy names are not there.")
@JSON
@click.pass_context
@with_appcontext
def recover(context: click.Context, yes: bool, stopped: bool, as_json: bool) -> None:
    """Hold mode, unless a command follows. Run it before any worker starts on the copy."""
    if context.invoked_subcommand is not None:
        return
    if not yes:
        _say(restoring.would_hold(), "Would hold", as_json)
        return
    if stopped:
        restoring.forget_workers()
    _say(answer(restoring.hold), "Held", as_json)
    if not as_json:
        click.echo("Look at them with: flask recover status. Workers may start now; nothing begins before:")
        click.echo("  flask recover resume")


@recover.command("status")
@JSON
def status(as_json: bool) -> None:
    """Say what is still held."""
    _say(restoring.status(), "Held", as_json)


@recover.command("resume")
def resume() -> None:
    """Let the kinds go on that were paused; what is held stays held."""
    kinds = restoring.resume()
    click.echo(f"Go on: {', '.join(kinds) or 'none was paused'}.")


def _word(name: str, word: Answer, summary: str, outcome: str) -> None:
    @recover.command(name, help=summary)
    @click.option("--kind", help="Only jobs of this kind.")
    @click.option("--owner", help="Only jobs of this person, by their email address.")
    @click.option("--yes", is_flag=True, help="Do it.")
    def run(kind: str | None, owner: str | None, yes: bool) -> None:
        owner_id = person(owner).id if owner else None
        if not yes:
            raise click.ClickException("This is your order for every job that it names. Repeat it with --yes.")
        click.echo(f"{answer(restoring.settle, word, kind, owner_id)} {outcome}.")


_word("release", "resend", "Run held jobs: they do again whatever they did since the copy.", "run again")
_word("settle", "delivered", "Count held jobs as done: they are not run.", "count as done")


def _say(held: Held, verb: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(held), indent=2, default=str))
        return
    newest = f"{held.newest:%Y-%m-%d %H:%M:%S} UTC" if held.newest else "nothing"
    click.echo(f"The newest that this database knows of: {newest}.")
    jobs = ", ".join(f"{count} {kind}" for kind, count in held.jobs.items()) or "none"
    click.echo(f"{verb}: jobs: {jobs}; schedules whose missed times are left out: {held.schedules}.")
    if held.paused:
        click.echo(f"Paused: {', '.join(held.paused)}.")
