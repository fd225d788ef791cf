"""A child process for one picture: started, listened to, and never left behind."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess  # nosec B404 - what is run is ours
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from structlog import get_logger

from webapi.errors import Permanent
from webapi.queue import progress
from webapi.services.images.order import Order

LOOK = 0.25  # seconds between two looks at whether the job is to stop
MOST_SAID = 1024 * 1024  # bytes that a child may say
# The package as the child sees it: by itself, since importing webapi would build the whole application.
START = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("images", sys.argv[1], submodule_search_locations=[sys.argv[2]])
sys.modules["images"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from images.child import main
main(int(sys.argv[3]))
"""

log = get_logger()


def in_child(order: Order) -> dict[str, Any]:
    """What the child says it has drawn. It is gone when this returns or raises, whatever happened.

    Raises Permanent with a sentence for a picture that cannot be had, OSError where the disk or the system is at fault.
    """
    package = Path(__file__).parent
    command = [sys.executable, "-I", "-c", START, str(package / "__init__.py"), str(package), str(os.getpid())]
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(  # noqa: S603 # nosec B603 - our own program, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
            env={"LC_ALL": "C.UTF-8"}, cwd=order.folder, start_new_session=True,
        )  # fmt: skip
        try:
            said = _listen(child, order)
        finally:
            _end(child)
        complaints.seek(0)
        return _outcome(order, child.returncode, said, complaints)


def _listen(child: subprocess.Popen[bytes], order: Order) -> dict[str, Any]:
    """The last thing that it says, when it has hung up. Raises what `progress` raises, so that a cancel is heard."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(asdict(order)).encode())
        child.stdin.close()
    except BrokenPipeError:  # it is gone already; its exit status says why
        pass
    said: dict[str, Any] = {}
    heard, rest, share, end = 0, b"", 0.0, time.monotonic() + 2 * order.limits.cpu
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while heard < MOST_SAID and time.monotonic() < end:
            progress(95 * share, "resizing")
            if not selector.select(LOOK):
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk:
                child.wait(timeout=5)
                return said
            heard += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            said = json.loads(lines[-1]) if lines else said
            share = said.get("share", share)
    raise Permanent(_too_long(order))


def _end(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL to its whole group, unless it has ended; no process and no pipe is left."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def _outcome(order: Order, code: int, said: dict[str, Any], complaints: IO[bytes]) -> dict[str, Any]:
    if "refused" in said:
        raise Permanent(str(said["refused"])[:500])
    if "failed" in said:
        raise OSError(int(said["failed"]), os.strerror(int(said["failed"])))
    if code == 0 and "done" in said:
        done: dict[str, Any] = said["done"]
        return done
    log.warning("picture ended its process", code=code, error=complaints.read()[-2000:].decode(errors="replace"))
    if code == -signal.SIGXCPU:
        raise Permanent(_too_long(order))
    raise Permanent(f"{order.name} could not be worked on: it made the program that reads it fail.")


def _too_long(order: Order) -> str:
    return f"{order.name} takes longer than a picture may: {order.limits.cpu} seconds."
