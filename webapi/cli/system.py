"""`flask relay`, `flask audit` and `flask doctor`: the system as a whole."""

from __future__ import annotations

import json
import signal
from dataclasses import asdict

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from webapi.queue.audit import audit as findings
from webapi.queue.metrics_server import count, serve
from webapi.queue.relay import Relay
from webapi.services import doctor as health


@click.command()
@with_appcontext
def relay() -> None:
    """Run the relay alone, until it is stopped. Every worker has one; this is for watching it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    count(app)
    serve(app)
    one = Relay(app)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: one.stop())  # the pass that is under way comes to its end
    one.run()


@click.command()
@click.option("--files/--no-files", default=True, show_default=True, help="Read the bytes of every artifact too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def audit(files: bool, as_json: bool) -> None:
    """Check the invariants of the ledger; exits 1 when one is broken."""
    found = list(findings(files=files))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
    else:
        for each in found:
            click.echo(f"{'ok' if not each.offenders else 'BROKEN':<7} {each.name:<5} {each.sentence}")
            for offender in each.offenders:
                click.echo(f"              {offender}")
    if any(each.offenders for each in found):
        raise SystemExit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look at every part of the system and say what to do; exits 1 when one is missing."""
    checks = health.examine()
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            taken = f" ({1000 * check.seconds:.1f} ms)" if check.seconds is not None else ""
            click.echo(f"{check.verdict:<5} {check.part:<9} {check.sentence}{taken}")
            if check.remedy:
                click.echo(f"                -> {check.remedy}")
    if any(check.verdict == "bad" for check in checks):
        raise SystemExit(1)
