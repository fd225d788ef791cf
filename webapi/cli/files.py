"""`flask files copy`."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from webapi import buckets
from webapi.queue import stores
from webapi.queue.files import Damaged, store
from webapi.services import moving

file_commands = AppGroup("files", help="Copy the files of this system.")


@file_commands.command("copy")
@click.argument("url")
def copy(url: str) -> None:
    """Copy every file that is named to URL, a folder or s3://bucket/prefix; exits 1 when one cannot be.

    Nothing is deleted, and what is there already is passed over: run it again for what has come meanwhile.
    """
    try:
        target = stores.made(current_app.config | {"STORAGE_URL": buckets.location(url)})
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    copied = size = failed = 0
    hashes = moving.named()
    for sha256 in hashes:
        try:
            found = moving.copy(sha256, store(), target)
        except (FileNotFoundError, Damaged) as error:
            click.echo(f"{sha256}: {'no bytes' if isinstance(error, FileNotFoundError) else 'other bytes'}", err=True)
            failed += 1
        else:
            copied, size = copied + (found is not None), size + (found or 0)
    there = len(hashes) - copied - failed
    click.echo(f"{copied:,} files copied ({size / 1e6:,.1f} MB), {there:,} were there, {failed:,} cannot be.")
    if failed:
        raise SystemExit(1)
