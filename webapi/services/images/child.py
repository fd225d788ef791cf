"""The process that reads what strangers hand in: it limits itself first, and ends with whoever started it.

An order comes in on standard input, facts go out on standard output, one JSON object a line: how far it
is, and at last `done`, `refused` with a sentence, or `failed` with an error number of the system.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from .drawing import draw
from .order import Limits, Order, Refused

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # <linux/prctl.h>
MEMORY = "{name} needs more memory than a picture may take here. Make it smaller first."


def main(parent: int) -> None:
    """Do the one order on standard input. Returns nothing: what happened is on standard output."""
    _leash(parent)
    asked = json.load(sys.stdin)
    order = Order(**asked | {"limits": Limits(**asked["limits"]), "sizes": [tuple(size) for size in asked["sizes"]]})
    _limit(order.limits)
    try:
        say(done=draw(order, lambda share: say(share=share)))
    except Refused as refused:
        say(refused=str(refused))
    except MemoryError:
        say(refused=MEMORY.format(name=order.name))
    except OSError as error:
        if error.errno is None:
            raise
        say(failed=error.errno)


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def _leash(parent: int) -> None:
    """On Linux the kernel ends this process when the thread that started it ends, however that comes about."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with contextlib.suppress(OSError):  # when memory runs out, this one goes and the worker stays
            Path("/proc/self/oom_score_adj").write_text("1000")
    # Who asked may have died before the kernel knew that we want to hear of it.
    if os.getppid() != parent:
        sys.exit(1)


def _limit(limits: Limits) -> None:
    for what, soft, hard in (
        (resource.RLIMIT_AS, limits.memory, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu, limits.cpu + 5),  # between the two, SIGXCPU says what it was
        (resource.RLIMIT_FSIZE, limits.file, limits.file),
        (resource.RLIMIT_NOFILE, limits.files, limits.files),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        most = resource.getrlimit(what)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)  # noqa: PLW2901 - nobody may raise what the system set
        with contextlib.suppress(ValueError):  # macOS does not limit address space
            resource.setrlimit(what, (soft, hard))
