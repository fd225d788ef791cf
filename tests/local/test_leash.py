"""A leashed program and the process that started it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import until
from webapi.local import leash

SLEEPER = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
PARENT = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-I", sys.argv[1], str(os.getpid()), sys.executable, "-I", "-c", *sys.argv[2:]])
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_leashed_program_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-I", "-c", PARENT, leash.__file__, SLEEPER, str(note)])
    pid = int(until(lambda: note.read_text() if note.exists() else "", what="the program to run"))
    assert psutil.Process(pid).ppid() == parent.pid
    parent.kill()
    parent.wait()
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, what="its end")


def test_a_program_is_not_started_for_a_parent_that_is_gone(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-I", "-c", ""])
    gone.wait()
    note = tmp_path / "pid"
    command = [sys.executable, "-I", leash.__file__, str(gone.pid), sys.executable, "-I", "-c", SLEEPER, str(note)]
    subprocess.run(command, check=True, timeout=10)
    assert not note.exists()


def test_a_leashed_program_is_the_process_that_was_started() -> None:
    code = "import os; print(os.getpid())"
    command = [sys.executable, "-I", leash.__file__, str(os.getpid()), sys.executable, "-I", "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.communicate(timeout=10)[0] == f"{process.pid}\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_program_can_be_run_as_somebody_else() -> None:
    command = [sys.executable, "-I", leash.__file__, f"{os.getpid()}:nobody", "/usr/bin/id", "-un"]
    assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout == "nobody\n"
