"""`flask schedules list`."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from webapi.cli.asking import person
from webapi.models import Schedule
from webapi.services import schedules

schedule_commands = AppGroup("schedules", help="List schedules.")


@schedule_commands.command("list")
@click.option("--owner", required=True, help="The email address of the person whose schedules they are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_schedules(owner: str, as_json: bool) -> None:
    """List somebody's schedules, the next to fire first."""
    rows = schedules.of(person(owner))
    if as_json:
        click.echo(json.dumps([_facts(row) for row in rows], indent=2))
        return
    for row in rows:
        state = "paused" if row.paused else row.problem or row.next_at.isoformat()
        click.echo(f"{row.id} {row.kind:<18} {row.cron:<16} {row.timezone:<16} {state}  {row.name}")


def _facts(row: Schedule) -> dict[str, object]:
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind,
        "cron": row.cron,
        "timezone": row.timezone,
        "paused": row.paused,
        "problem": row.problem,
        "next_at": row.next_at.isoformat(),
    }
