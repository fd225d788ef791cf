"""`flask prune`, `flask forget` and `flask reseal`: what is kept, for how long, and under which key."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from webapi.cli.asking import answer, person
from webapi.queue import kind_named
from webapi.services import forgetting, pruning, resealing, schedules
from webapi.services.plans import Plan
from webapi.services.pruning import PruneOrder

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
KIND = "system.prune"


@click.command()
@click.option("--dry-run", is_flag=True, help="Say only how much is old.")
@click.option("--every", metavar="CRON", help="Make a schedule of it, such as '30 3 * * *', and delete nothing now.")
@click.option("--owner", help="With --every: the email address of the person whose schedule it is.")
@JSON
@with_appcontext
def prune(dry_run: bool, every: str | None, owner: str | None, as_json: bool) -> None:
    """Delete what is older than KEEP_JOBS_DAYS, KEEP_FILES_DAYS, KEEP_LOGS_DAYS and KEEP_TRAIL_DAYS say."""
    if every:
        if not owner:
            raise click.UsageError("--every needs --owner, the person to whom the schedule belongs.")
        plan = answer(_plan, every)
        row = answer(schedules.create, person(owner), kind_named(KIND), PruneOrder(), plan)
        click.echo(f"{row.id} fires next at {row.next_at:%Y-%m-%d %H:%M} UTC.")
        return
    found = pruning.would_prune() if dry_run else pruning.prune()
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(
            f"{'Old' if dry_run else 'Deleted'}: {', '.join(f'{count} {what}' for what, count in found.items())}."
        )


def _plan(every: str) -> Plan:
    try:
        return Plan(name="Prune", cron=every)
    except ValueError:
        raise click.ClickException(f"{every!r} is no cron expression that comes, such as '30 3 * * *'.") from None


@click.command()
@click.argument("address")
@click.option("--account", is_flag=True, help="Delete the account of whoever is registered under it, too.")
@JSON
@with_appcontext
def forget(address: str, account: bool, as_json: bool) -> None:
    """Erase an address from the ledger; exits 1 while something that is open still needs it."""
    try:
        done = answer(forgetting.forget, address, account=account)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(asdict(done), default=str))
    else:
        click.echo(f"Erased from {done.jobs} jobs, {done.receipts} receipts, {done.mailings} mailings,")
        click.echo(
            f"{done.others} other places; kept as a SHA-256 on {done.suppressions} lists of those not to be mailed."
        )
        for upload in done.uploads:
            click.echo(f"The upload {upload} holds it; its owner can delete it.")
        for job in done.open_jobs:
            click.echo(f"The job {job} is not over and needs it: settle or cancel it, then run this again.")
    if done.open_jobs:
        raise SystemExit(1)


@click.command()
@JSON
@with_appcontext
def reseal(as_json: bool) -> None:
    """Seal every secret that is kept under SECRET_KEY, so that SECRET_KEY_FALLBACKS can be emptied."""
    done = resealing.reseal()
    if as_json:
        click.echo(json.dumps(asdict(done)))
    else:
        click.echo(f"Sealed anew: {done.jobs} jobs, {done.schedules} schedules. No key opens {done.unopenable}.")
