"""`demo`: the same system in a scratch folder, visited by a stranger, and nothing left behind."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from textwrap import indent

from webapi import create_app
from webapi.errors import ConfigError
from webapi.local import ports, servers
from webapi.local.layout import Layout, lay_out, project_folder
from webapi.local.processes import DidNotStart, Stopped, Supervisor
from webapi.local.run import say
from webapi.local.scratch import copy_of, defaults, environment_of
from webapi.local.stranger import Stranger
from webapi.local.system import bring_up
from webapi.local.visit import Visit, Wrong
from webapi.services.inbox import Mail


def demo() -> int:
    """Bring everything up, use it, print what happened. Returns the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="webapi-demo-")).resolve()
    logs = folder / "var/log"
    try:
        project = copy_of(project_folder(), folder / "project")
        layout = lay_out(folder / "var", {"PORT": ports.free()}, say)
        with Supervisor(project, logs, say) as supervisor:
            say("Starting a system of its own in a scratch folder.")
            servers.start(layout, supervisor, environment_of(layout))
            bring_up(layout, create_app(defaults() | dict(layout.chosen)), supervisor, environment_of(layout))
            _show(layout, Visit(supervisor.pause))
            status = 0
    except (DidNotStart, Wrong) as error:
        print(error, f"The logs: {logs}", sep="\n", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt):
        status = 1
    except ConfigError as error:
        print(error, file=sys.stderr)
        status = 1
    shutil.rmtree(folder)
    return status


def _show(layout: Layout, visit: Visit) -> None:
    try:
        welcome = Stranger(layout.chosen["PUBLIC_URL"], Path(layout.chosen["INBOX_PATH"]), visit).go()
    finally:
        say(f"\n{visit.table()}")
    say(_as_received(welcome))
    say("\nAll of it is as promised.")


def _as_received(mail: Mail) -> str:
    header = f"From: {mail.sender}\nTo: {', '.join(mail.to)}\nSubject: {mail.subject}\n\n"
    return "\nThe welcome mail, as received:\n\n" + indent(header + (mail.text or "").rstrip(), "  ")
