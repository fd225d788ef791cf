"""Forks a victim for each line on its standard input: `python -m tests.faults.zygote`.

A line is a JSON object: `environment` for the victim, the `log` that takes what it says, and its `step`. The answer
is a line with its exit code.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from typing import Any

import tests.conftest  # noqa: F401 - imports the whole program and puts the tests' kinds beside its own
import webapi.services.doctor  # noqa: F401


def be_victim(order: dict[str, Any]) -> None:
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order["environment"])
    sys.argv[1:] = order["step"]
    runpy.run_module("tests.faults.victim", run_name="__main__")


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            be_victim(order)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
