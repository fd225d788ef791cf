"""The locked child as a process: started with a request, heard in frames, and gone at the end."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess  # nosec B404 - the child is our own program
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from webapi.errors import Permanent, Transient
from webapi.services.queries.sources import Limits

# The child's package is this folder under a name of its own: `webapi` would bring Flask and seconds of start.
BOOT = """
import sys, types
package = sys.modules["queries"] = types.ModuleType("queries")
package.__path__ = [sys.argv[1]]
from queries import child
child.main()
"""
# With the allocator's usual eight arenas for each core, the address space would be used up by reservations.
ENVIRONMENT = {"LANG": "C.UTF-8", "TZ": "UTC", "MALLOC_ARENA_MAX": "2"}
LONGEST_FRAME = 1 << 26  # bytes, as in child.py: a child that was taken over cannot fill our memory
BLOCK = 1 << 18  # bytes; as long as most frames
TICK = 0.5  # seconds
Frame = tuple[bytes, Any]


@contextmanager
def running(request: dict[str, Any], limits: Limits, tick: Callable[[], None]) -> Iterator[Iterator[Frame]]:
    """The frames of a new child, which is gone at the end of the block, and with it whatever it started.

    `tick` is called twice a second while somebody waits for a frame, and may raise. Permanent when the child says
    why it does not go on, when it takes too long, and when it breaks off; Transient when somebody killed it.
    """
    command = [sys.executable, "-I", "-c", BOOT, str(Path(__file__).parent)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **pipes, env=ENVIRONMENT, cwd="/", process_group=0)  # type: ignore[call-overload] # noqa: S603 # nosec B603
    try:
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(json.dumps(request | {"limits": asdict(limits), "parent": os.getpid()}).encode())
        yield _frames(process, limits, tick)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


def _frames(process: subprocess.Popen[bytes], limits: Limits, tick: Callable[[], None]) -> Iterator[Frame]:
    assert process.stdout is not None
    held, left, pipe = bytearray(), limits.seconds, process.stdout.fileno()
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        left = _waited(poll, left, tick)
        if left < 0:
            raise Permanent(f"The query took longer than the {limits.seconds:g} seconds that it may take.")
        block = os.read(pipe, BLOCK)
        if not block:
            raise _died(process.wait(), limits)
        held += block
        while len(held) >= 5 and len(held) >= (end := 5 + int.from_bytes(held[1:5], "big")):
            kind, body = bytes(held[:1]), bytes(held[5:end])
            value: Any = body if kind == b"B" else json.loads(body)
            if kind == b"X":
                raise Permanent(value)
            yield kind, value
            del held[:end]
        if len(held) > LONGEST_FRAME + BLOCK:
            raise Permanent("The query's process broke off.")


def _waited(poll: select.poll, left: float, tick: Callable[[], None]) -> float:
    """Wait for something to read; the seconds that are left then, negative when there is nothing after the last one."""
    began = time.monotonic()
    while not poll.poll(max(0.0, min(TICK, left - (time.monotonic() - began))) * 1000):
        tick()
        if time.monotonic() - began > left:
            return -1.0
    return max(0.0, left - (time.monotonic() - began))


def _died(status: int, limits: Limits) -> Permanent | Transient:
    """What killed the child may not be its own fault: another process may have used the machine's memory up."""
    if status == -signal.SIGXCPU:
        return Permanent(f"The query took more work than the {limits.seconds:g} seconds that it may take hold.")
    if status == -signal.SIGKILL:
        return Transient("The query's process was killed, most likely because the machine ran out of memory.")
    return Permanent(f"The query's process broke off ({signal.Signals(-status).name if status < 0 else status}).")
