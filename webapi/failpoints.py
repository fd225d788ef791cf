"""Named gaps in the protocol at which a test may kill the process. Nothing happens unless FAILPOINT is set.

`FAILPOINT=E1b=/some/token` kills this process with SIGKILL at the gap E1b, if the file /some/token can be
removed: so one process dies once, and the next one passes. docs/jobs.md has the names.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from flask import current_app


def failpoint(gap: str) -> None:
    """Die here, if a test has armed this gap."""
    armed: str | None = current_app.config["FAILPOINT"]
    if not armed:
        return
    name, _, token = armed.partition("=")
    if name != gap:
        return
    try:
        Path(token).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
