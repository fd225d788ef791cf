"""Typst in a child: under limits, without our environment, and gone when this returns or raises."""

from __future__ import annotations

import json
import os
import signal
import subprocess  # nosec B404 - the child is our own program
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from structlog import get_logger

from webapi.errors import Permanent

MEMORY = 3 << 30  # bytes of address space, of which Typst reserves more than it uses
CPU = 300  # seconds
LOOK = 0.2  # seconds between two looks at whether to go on
PRESS = Path(__file__).with_name("press.py")

log = get_logger()


def typeset(folder: Path, as_of: int, tick: Callable[[], None], *, memory: int = MEMORY, cpu: int = CPU) -> Path:
    """Set report.typ in the folder, and return the PDF beside it. `as_of` is its time, in seconds since 1970.

    Raises what `tick` raises, and Permanent when the limits do not suffice.
    """
    found = find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    order = {
        "folder": str(folder.resolve()),
        "fonts": str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"),
        "as_of": as_of,
        "parent": os.getpid(),
        "memory": memory,
        "cpu": cpu,
    }
    with tempfile.TemporaryFile() as complaints:
        code = _run(json.dumps(order).encode(), complaints, tick)
        if code:
            complaints.seek(0)
            log.warning("a PDF ended its process", code=code, error=complaints.read()[-2000:].decode(errors="replace"))
            raise Permanent(_epitaph(code))
    return folder / "report.pdf"


def _run(order: bytes, complaints: IO[bytes], tick: Callable[[], None]) -> int:
    command = [sys.executable, "-I", str(PRESS)]
    child = subprocess.Popen(  # noqa: S603 # nosec B603 - our own program, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=complaints,
        stderr=complaints,
        env={"LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        assert child.stdin is not None
        try:
            child.stdin.write(order)
            child.stdin.close()
        except BrokenPipeError:  # it is gone already; its exit status says why
            pass
        while True:
            tick()
            try:
                return child.wait(LOOK)
            except subprocess.TimeoutExpired:
                continue
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _epitaph(code: int) -> str:
    if code == -signal.SIGXCPU:
        return "The PDF takes longer to set than it may."
    if code in (-signal.SIGKILL, -signal.SIGABRT):
        return "The PDF needs more memory than there is for it: it has too much text."
    return "The PDF could not be set."
