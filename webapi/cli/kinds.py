"""`flask kinds`, and what an operator does to a whole kind."""

from __future__ import annotations

import json
from collections.abc import Collection

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from webapi.cli.asking import answer
from webapi.models.transaction import writing
from webapi.queue import Kind, gates, kind_named
from webapi.services import trail


@click.group(cls=AppGroup, invoke_without_command=True, help="List the kinds of jobs, pause one, resume it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
@with_appcontext
def kinds(context: click.Context, as_json: bool) -> None:
    """List the kinds, unless a command follows."""
    if context.invoked_subcommand is not None:
        return
    resting = gates.paused()
    rows = [_facts(kind, resting) for kind in current_app.extensions["kinds"].values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        door = "public" if row["public"] else "internal"
        click.echo(f"{row['name']:<20} {row['queue']:<10} {door:<9} {_holds(row)}{row['summary']}")


@kinds.command("pause")
@click.argument("name")
def pause_kind(name: str) -> None:
    """Let no attempt of a kind begin, on any worker. Jobs are still accepted; what runs goes on."""
    with writing():
        gates.pause(answer(kind_named, name).name, trail.COMMAND_LINE)
        trail.note("kind.paused", actor=trail.COMMAND_LINE, on_what=name)
    click.echo(f"{name} is paused. To go on: flask kinds resume {name}")


@kinds.command("resume")
@click.argument("name")
def resume_kind(name: str) -> None:
    """End a pause."""
    with writing():
        gates.resume(answer(kind_named, name).name)
        trail.note("kind.resumed", actor=trail.COMMAND_LINE, on_what=name)
    click.echo(f"{name} goes on.")


def _facts(kind: Kind, resting: Collection[str]) -> dict[str, object]:
    return {
        "name": kind.name,
        "queue": kind.queue,
        "public": kind.public,
        "rate": kind.rate,
        "concurrency": kind.concurrency,
        "paused": kind.name in resting,
        "summary": kind.summary,
    }


def _holds(row: dict[str, object]) -> str:
    """`[paused, at most 100/m] `; nothing for a kind that nothing holds back."""
    parts = ["paused"] if row["paused"] else []
    parts += [f"at most {row['rate']}"] if row["rate"] else []
    parts += [f"{row['concurrency']} at once"] if row["concurrency"] else []
    return f"[{', '.join(parts)}] " if parts else ""
