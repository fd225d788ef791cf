"""The program that sets a PDF, in a process of its own: Typst takes hundreds of megabytes for a long table.

It is run by its path, so that nothing of webapi is loaded. `typesetting.py` writes its order on standard input.
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

import typst

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38  # <linux/prctl.h>


def main() -> None:
    order = json.load(sys.stdin)
    _leash(order["parent"])
    _limit(resource.RLIMIT_AS, order["memory"])
    _limit(resource.RLIMIT_CPU, order["cpu"], 5)  # between the two, SIGXCPU says what it was
    _limit(resource.RLIMIT_CORE, 0)
    press(Path(order["folder"]), Path(order["fonts"]), order["as_of"])


def press(folder: Path, fonts: Path, as_of: int) -> None:
    """Make report.pdf of report.typ in the folder: PDF/UA-1, except where a letter is in no font.

    Such a letter is a box, which the standard forbids.
    """
    compiler: Any = typst.Compiler(folder / "report.typ", root=folder, font_paths=[fonts])
    out = folder / "report.pdf"
    try:
        compiler.compile(output=out, format="pdf", pdf_standards="ua-1", timestamp=as_of)
    except typst.TypstError:
        compiler.compile(output=out, format="pdf", timestamp=as_of)


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


def _limit(what: int, most: int, grace: int = 0) -> None:
    hard = resource.getrlimit(what)[1]
    limits = [each if hard == resource.RLIM_INFINITY else min(each, hard) for each in (most, most + grace)]
    with contextlib.suppress(ValueError):  # macOS does not limit address space
        resource.setrlimit(what, (limits[0], limits[1]))


if __name__ == "__main__":
    main()
