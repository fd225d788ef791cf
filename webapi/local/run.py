"""`run`: the system of this folder, until somebody stops it."""

from __future__ import annotations

import contextlib
import sys

from webapi.config import RUN_FILE, environment
from webapi.errors import ConfigError
from webapi.local import servers
from webapi.local.folder import alone_in, write_settings
from webapi.local.layout import Layout, given_settings, lay_out, project_folder
from webapi.local.processes import DidNotStart, Stopped, Supervisor

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
    chosen = environment(layout.chosen)
    servers.start(layout, supervisor, chosen)
    # What is slow to load is loaded here, while the servers do the same.
    from webapi import create_app
    from webapi.local import person, system

    app = create_app(layout.chosen)
    system.bring_up(layout, app, supervisor, chosen)
    try:
        write_settings(RUN_FILE, layout.settings())
        password, key = person.welcome(app)
        say(_screen(layout, person.EMAIL, password, key))
        supervisor.watch()
        say("Stopping.")
    finally:
        RUN_FILE.unlink(missing_ok=True)


def _screen(layout: Layout, email: str, password: str, key: str) -> str:
    address = layout.settings()["PUBLIC_URL"]
    elsewhere = f"none: mail goes out by {layout.given.get('MAIL_SERVER')}"
    return SCREEN.format(
        address=address,
        email=email,
        password=password,
        inbox=elsewhere if layout.mail_port is None else f"{address}/inbox  (mail is kept there, and sent nowhere)",
        logs=layout.folder / "log",
        port=layout.port,
        key=key,
    )
