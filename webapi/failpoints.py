"""Named gaps in the protocol at which a test may kill or freeze the process. Nothing happens unless FAILPOINT is set.

`FAILPOINT=E1b=/some/token` ends this process with SIGKILL at the gap E1b, if the file /some/token can be
removed: so one process dies once, and the next one passes. A token that holds the word `freeze` stops the
process with SIGSTOP instead; whoever wrote it wakes it with SIGCONT. docs/jobs.md has the names.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from flask import current_app


def failpoint(gap: str) -> None:
    """Die or freeze here, if a test has armed this gap."""
    armed: str | None = current_app.config["FAILPOINT"]
    if not armed:
        return
    name, _, path = armed.partition("=")
    if name != gap:
        return
    token = Path(path)
    try:
        wanted = token.read_text("utf-8").strip()
        token.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGSTOP if wanted == "freeze" else signal.SIGKILL)
