"""`flask jobs …`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import click
from flask.cli import AppGroup

from webapi.cli.asking import answer, person
from webapi.cli.submitting import SubmitGroup
from webapi.models import EffectState, Job, State
from webapi.queue import explain
from webapi.services import bulk, job_lists, job_queries, jobs

job_commands = AppGroup("jobs", help="Submit, list, show and cancel jobs.")
job_commands.add_command(SubmitGroup("submit", help="Submit a job. Each kind is a command of its own."))


@job_commands.command("list")
@click.option("--owner", required=True, help="The email address of the person whose jobs they are.")
@click.option("--query", default="", help="Which jobs, such as: state:failed older:1h")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_jobs(owner: str, query: str, limit: int, as_json: bool) -> None:
    """List somebody's jobs, newest first."""
    wanted = job_lists.Wanted(terms=answer(job_queries.read, query))
    rows = job_lists.page(person(owner), wanted, limit=limit).jobs
    if as_json:
        click.echo(json.dumps([_facts(job) for job in rows], indent=2))
    for job in [] if as_json else rows:
        click.echo(f"{job.id} {job.kind:<18} {job.state:<10} {job.progress:>3} %  {job.error_public or ''}")


@job_commands.command("show")
@click.argument("job_id", type=click.UUID)
@click.option("--owner", required=True, help="The email address of the person whose job it is.")
def show_job(job_id: UUID, owner: str) -> None:
    """Show one job with its history, as JSON."""
    job = answer(jobs.find, person(owner), job_id)
    events = [f"{event.at.isoformat()} {event.to_state}: {event.reason}" for event in jobs.events(job)]
    click.echo(json.dumps({**_facts(job), "result": job.result, "events": events}, indent=2))


@job_commands.command("why")
@click.argument("job_id", type=click.UUID)
@click.option("--owner", required=True, help="The email address of the person whose job it is.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def why_job(job_id: UUID, owner: str, as_json: bool) -> None:
    """Say why a job is not running just now."""
    reason = explain.why(answer(jobs.find, person(owner), job_id))
    click.echo(json.dumps(asdict(reason), indent=2, default=str) if as_json else reason.sentence)


@job_commands.command("replay")
@click.argument("job_id", type=click.UUID)
@click.option("--owner", required=True, help="The email address of the person whose job it is.")
def replay_job(job_id: UUID, owner: str) -> None:
    """Run a job again that is over; what is done is not repeated."""
    click.echo(answer(jobs.replay, person(owner), job_id).state)


@job_commands.command("cancel")
@click.argument("job_id", type=click.UUID)
@click.option("--owner", required=True, help="The email address of the person whose job it is.")
def cancel_job(job_id: UUID, owner: str) -> None:
    """Cancel a waiting job, or ask a running one to stop."""
    click.echo(answer(jobs.cancel, person(owner), job_id).state)


def _many(name: str, act: Callable[..., bulk.Outcome], summary: str) -> None:
    """`flask jobs cancel-all` and `replay-all`: over a filter, and only with --yes."""

    @job_commands.command(name, help=summary)
    @click.option("--owner", required=True, help="The email address of the person whose jobs they are.")
    @click.option("--kind", "kinds", multiple=True)
    @click.option("--state", "states", multiple=True, type=click.Choice([state.value for state in State]))
    @click.option("--tag", "tags", multiple=True)
    @click.option("--query", default="", help="Which jobs, such as: state:failed older:1h")
    @click.option("--until", type=click.UUID, help="Only jobs up to this id, such as an earlier call names.")
    @click.option("--yes", is_flag=True, help="Do it. Without this, say only what would be done.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def run(
        owner: str,
        kinds: tuple[str],
        states: tuple[str],
        tags: tuple[str],
        query: str,
        until: UUID | None,
        yes: bool,
        as_json: bool,
    ) -> None:
        terms = answer(job_queries.read, query)
        wanted = job_lists.Wanted(kinds, [State(state) for state in states], tags, terms=terms, until=until)
        outcome = answer(act, person(owner), wanted, dry_run=not yes)
        if as_json:
            click.echo(json.dumps(asdict(outcome), indent=2, default=str))
            return
        found = ", ".join(f"{count} {state}" for state, count in outcome.jobs.items()) or "no job"
        click.echo(f"{'Done' if yes else 'Would be done'} to {outcome.changed}: {found}.")
        for reason, count in outcome.left_out.items():
            click.echo(f"  {count} stay as they are: {reason}")
        for state, count in outcome.effects.items():
            click.echo(f"  {count} effects are {state}{NOTES.get(state, '')}")
        if outcome.remaining:
            click.echo(f"  {outcome.remaining} more match; run it again.")
        if outcome.further:
            click.echo(f"  Older jobs have not been looked at; for those, --until {outcome.further}")


NOTES = {
    EffectState.DONE: " and are not repeated",
    EffectState.UNKNOWN: " and wait for a person",
    EffectState.REFUSED: " and are tried again by a replay",
}
_many("cancel-all", bulk.cancel, "Cancel the jobs that a filter finds.")
_many("replay-all", bulk.replay, "Run the jobs again that a filter finds and that did not succeed.")


def _facts(job: Job) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "kind": job.kind,
        "state": job.state,
        "progress": job.progress,
        "error": job.error_public,
    }
