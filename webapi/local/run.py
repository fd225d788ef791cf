"""`run`: the system of this folder, until somebody stops it."""

from __future__ import annotations

import contextlib
import secrets
import sys

from flask import Flask
from sqlalchemy import update

from webapi import create_app
from webapi.config import RUN_FILE, environment
from webapi.errors import ConfigError
from webapi.local.folder import alone_in, write_settings
from webapi.local.layout import Layout, given_settings, lay_out, project_folder
from webapi.local.processes import DidNotStart, Stopped, Supervisor
from webapi.local.system import bring_up
from webapi.models import Role, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.services import accounts, keys, passwords

EMAIL = "you@example.com"
KEY_NAME = "make run"
SCREEN = """
webapi is up.

  Address   {address}
  Sign in   {email}  {password}
  Inbox     {inbox}
  Logs      {logs}

Submit a job from another terminal:

  curl -s http://127.0.0.1:{port}/api/v1/jobs/email.send -H 'Authorization: Bearer {key}' \
-H 'Content-Type: application/json' -d '{{"to":["{email}"],"subject":"Hello","text":"It works."}}'

Ctrl-C stops everything.
"""


def say(text: str) -> None:
    """Print now. A terminal that was closed must not keep us from stopping what we started."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def run() -> int:
    """Bring everything up in `var/`, show how to use it, and keep it running. Returns the exit status."""
    folder = RUN_FILE.parent.resolve()
    try:
        project = project_folder()
        with alone_in(folder) as lock:
            RUN_FILE.unlink(missing_ok=True)  # a run that was killed left it, and it names what is gone
            layout = lay_out(folder, given_settings(), say)
            with Supervisor(project, folder / "log", say, held=(lock,)) as supervisor:
                _serve(layout, supervisor)
    except (Stopped, KeyboardInterrupt):
        return 0
    except (ConfigError, DidNotStart) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _serve(layout: Layout, supervisor: Supervisor) -> None:
    say("Starting. Ctrl-C stops everything.")
    app = create_app(layout.chosen)
    bring_up(layout, app, supervisor, environment(layout.chosen))
    try:
        write_settings(RUN_FILE, layout.settings())
        password, key = _welcome(app)
        say(_screen(layout, password, key))
        supervisor.watch()
        say("Stopping.")
    finally:
        RUN_FILE.unlink(missing_ok=True)


def _screen(layout: Layout, password: str, key: str) -> str:
    address = layout.settings()["PUBLIC_URL"]
    elsewhere = f"none: mail goes out by {layout.given.get('MAIL_SERVER')}"
    return SCREEN.format(
        address=address,
        email=EMAIL,
        password=password,
        inbox=elsewhere if layout.mail_port is None else f"{address}/inbox  (mail is kept there, and sent nowhere)",
        logs=layout.folder / "log",
        port=layout.port,
        key=key,
    )


def _welcome(app: Flask) -> tuple[str, str]:
    """Somebody to be: an administrator with a new password and a new key. Returns both."""
    password = secrets.token_urlsafe(12)
    with app.app_context():
        user = accounts.by_email(EMAIL)
        if user is None:
            user = accounts.create(EMAIL, "You", password, verified=True, role=Role.ADMINISTRATOR)
        else:
            _change_password(user, password)
        for key in keys.of(user):
            if key.name == KEY_NAME:
                keys.revoke(user, key.id)
        return password, keys.create(user, KEY_NAME)


def _change_password(user: User, password: str) -> None:
    """Who is signed in stays signed in: it is the same person at the same machine."""
    changes = {"password_hash": passwords.hashed(password), "role": Role.ADMINISTRATOR, "verified_at": now()}
    with writing() as session:
        session.execute(update(User).where(User.id == user.id).values(**changes))
