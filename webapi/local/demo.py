"""`demo`: the same system in a scratch folder, visited by a stranger, and nothing left behind."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

from webapi import create_app
from webapi.config import RUN_FILE, Settings, environment
from webapi.errors import ConfigError
from webapi.local import ports
from webapi.local.layout import Layout, lay_out, project_folder
from webapi.local.processes import DidNotStart, Stopped, Supervisor
from webapi.local.run import say
from webapi.local.stranger import Stranger
from webapi.local.system import bring_up
from webapi.local.visit import Visit, Wrong
from webapi.services.inbox import Mail


def demo() -> int:
    """Bring everything up, use it, print what happened. Returns the exit status."""
    folder = Path(tempfile.mkdtemp(prefix="webapi-demo-")).resolve()
    logs = folder / "var/log"
    try:
        project = _copy_of(project_folder(), folder / "project")
        layout = lay_out(folder / "var", {"PORT": ports.free()}, say)
        with Supervisor(project, logs, say) as supervisor:
            say("Starting a system of its own in a scratch folder.")
            bring_up(layout, create_app(_defaults() | dict(layout.chosen)), supervisor, _environment(layout))
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


def _copy_of(project: Path, folder: Path) -> Path:
    """The project as links in a folder of their own: all of it but `.env` and `var/`, which decide settings."""
    folder.mkdir()
    for part in project.iterdir():
        if not part.name.startswith(".") and part.name != RUN_FILE.parent.name:
            (folder / part.name).symlink_to(part)
    return folder


def _defaults() -> dict[str, Any]:
    return {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}


def _environment(layout: Layout) -> Mapping[str, str]:
    """This process's environment without any setting of ours but those of the demo."""
    settings = {spelled for name in Settings.model_fields for spelled in (name, f"{name}_FILE")}
    inherited = {name: value for name, value in environment({}).items() if name not in settings}
    return inherited | dict(layout.chosen)
