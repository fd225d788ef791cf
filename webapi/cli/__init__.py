"""Commands for operators: `flask --app wsgi …`."""

from __future__ import annotations

from flask import Flask

from webapi.cli import files, jobs, keeping, kinds, migrating, people, restoring, schedules, system


def init_app(app: Flask) -> None:
    commands = (
        kinds.kinds,
        jobs.job_commands,
        people.users,
        people.key_commands,
        files.file_commands,
        schedules.schedule_commands,
    )
    kept = (restoring.recover, keeping.prune, keeping.forget, keeping.reseal)
    for command in (*commands, *kept, migrating.migrations, system.relay, system.audit, system.doctor):
        app.cli.add_command(command)
