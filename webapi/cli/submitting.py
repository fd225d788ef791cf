"""`flask jobs submit KIND`: commands that are drawn from the kinds, as their forms are."""

from __future__ import annotations

import json
import math
from typing import Any, get_origin

import click
from flask.cli import ScriptInfo, with_appcontext
from pydantic import ValidationError

from webapi.cli.asking import answer, person
from webapi.queue import Kind
from webapi.services import jobs

LONGEST_DELAY = 366 * 86400  # seconds


class Seconds(click.FloatRange):
    """A number of seconds. NaN, which no comparison finds out of range, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        return self.fail("nan is no number of seconds.", param, ctx) if math.isnan(found) else found


class SubmitGroup(click.Group):
    """One command for each public kind, with one option for each field of its payload."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [kind.name for kind in _declared(ctx).values() if kind.public]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        kind = _declared(ctx).get(cmd_name)
        return _submit_command(kind) if kind is not None and kind.public else None


def _declared(ctx: click.Context) -> dict[str, Kind]:
    found: dict[str, Kind] = ctx.ensure_object(ScriptInfo).load_app().extensions["kinds"]
    return found


def _submit_command(kind: Kind) -> click.Command:
    @with_appcontext
    def submit(
        owner: str, delay: float | None, callback_url: str | None, payload: str | None, as_json: bool, **given: Any
    ) -> None:
        try:
            values = {name: _value(text) for name, text in given.items() if text not in {None, ()}}
            whole = json.loads(payload or "{}")
            if not isinstance(whole, dict):
                raise click.ClickException("--payload: give a JSON object.")
            checked = kind.payload.model_validate({**whole, **values}, extra="forbid")
        except (ValidationError, ValueError) as error:
            raise click.ClickException(_first_fault(error)) from None
        job = answer(jobs.submit, person(owner), kind, checked, delay=delay, callback_url=callback_url)
        click.echo(json.dumps({"id": str(job.id), "state": job.state}) if as_json else f"{job.id} {job.state}")

    options = [
        click.Option(
            [f"--{name.replace('_', '-')}", name], help=field.description or "", multiple=_is_list(field.annotation)
        )
        for name, field in kind.payload.model_fields.items()
    ]
    fixed = [
        click.Option(["--owner"], required=True, help="The email address of the person whose job it is."),
        click.Option(["--delay"], type=Seconds(0, LONGEST_DELAY), help="Seconds to wait before it begins."),
        click.Option(["--callback-url"], help="Where to tell that it is over."),
        click.Option(["--payload"], help="The payload as JSON; the other options win over it."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
    ]
    return click.Command(kind.name, callback=submit, params=[*options, *fixed], help=kind.summary)


def _is_list(annotation: Any) -> bool:
    """Whether a field takes several values; its option may then be given several times."""
    return get_origin(annotation) is list


def _value(text: str | tuple[str, ...]) -> Any:
    """An option's text: JSON where it is an array or an object, and itself otherwise."""
    if isinstance(text, tuple):
        return list(text)
    return json.loads(text) if text[:1] in {"[", "{"} else text


def _first_fault(error: Exception) -> str:
    if isinstance(error, ValidationError):
        each = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in each['loc']) or 'payload'}: {each['msg']}"
    return f"That is not JSON: {error}"
