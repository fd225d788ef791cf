"""The supervisor: what dies comes back, and nothing outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import until
from webapi.config import environment
from webapi.local import guard
from webapi.local.processes import DidNotStart, Stopped, Supervisor
from webapi.local.programs import Program

PROJECT = Path(__file__).parent.parent.parent


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Supervised:
    """A supervisor in a process of its own, over a steady and a stubborn family of two processes each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.local.supervise", str(folder)],
            cwd=PROJECT,
            stdout=(folder / "said").open("wb"),
            stderr=subprocess.STDOUT,
        )
        until(lambda: len(self.family("steady")) == len(self.family("stubborn")) == 2, what="both families")

    def ever(self) -> set[int]:
        return {int(path.name) for path in self.folder.glob("st*/[0-9]*")}

    def family(self, name: str) -> set[int]:
        return {int(path.name) for path in self.folder.glob(f"{name}/[0-9]*") if alive(int(path.name))}

    def leader(self, name: str) -> int:
        (leader,) = (pid for pid in self.family(name) if os.getpgid(pid) == pid)
        return leader

    def guard(self) -> int:
        """Its process id; 0 while there is none."""
        children = psutil.Process(self.process.pid).children()
        return next((child.pid for child in children if _runs_guard(child)), 0)

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def all_gone(self) -> bool:
        return not any(alive(pid) for pid in self.ever())


def _runs_guard(process: psutil.Process) -> bool:
    try:
        return guard.__file__ in process.cmdline()
    except psutil.Error:  # it has ended
        return False


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    supervised = Supervised(tmp_path)
    yield supervised
    supervised.process.kill()
    supervised.process.wait()
    until(supervised.all_gone, what="the families to end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order_children_of_children_too(
    supervised: Supervised, number: signal.Signals
) -> None:
    supervised.process.send_signal(number)
    assert supervised.process.wait(15) == 0
    assert supervised.all_gone()
    assert (supervised.folder / "left-when-steady-was-asked").read_text() == "0"


def test_nothing_outlives_a_supervisor_that_is_killed(supervised: Supervised) -> None:
    keeper = supervised.guard()
    supervised.process.kill()
    until(supervised.all_gone, what="everything to end")
    until(lambda: not alive(keeper), what="the guard to end")


def test_a_program_that_dies_is_started_again_and_its_children_do_not_stay(supervised: Supervised) -> None:
    before = supervised.family("stubborn")
    os.kill(supervised.leader("stubborn"), signal.SIGKILL)
    until(lambda: len(supervised.family("stubborn") - before) == 2, what="a new family")
    assert not any(alive(pid) for pid in before)
    assert "stubborn was killed by SIGKILL; starting it again in 0.2 s" in supervised.said()
    os.kill(supervised.leader("stubborn"), signal.SIGKILL)
    until(lambda: "starting it again in 0.4 s" in supervised.said(), what="a longer pause")


def test_a_guard_that_is_killed_is_replaced(supervised: Supervised) -> None:
    first = supervised.guard()
    os.kill(first, signal.SIGKILL)
    until(lambda: not alive(first) and supervised.guard(), what="another guard")
    supervised.process.kill()
    until(supervised.all_gone, what="everything to end")


def program(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-I", "-c", code), environment({}))


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path, tmp_path / "log", print, grace=1.0) as supervisor:
        yield supervisor


def test_a_program_that_fails_is_named_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    with pytest.raises(DidNotStart) as failure:
        supervisor.run(program("database", "print('the disk is full'); raise SystemExit(3)"), 10)
    assert str(failure.value) == "database ended with exit status 3.\n    the disk is full"


def test_a_program_that_takes_too_long_is_ended(supervisor: Supervisor) -> None:
    with pytest.raises(DidNotStart, match=r"Waited 0\.2 s in vain for database to end"):
        supervisor.run(program("database", "import time; time.sleep(600)"), 0.2)


def test_waiting_ends_when_a_program_dies(supervisor: Supervisor) -> None:
    supervisor.start(program("web", "print('the port is taken'); raise SystemExit(1)"))
    with pytest.raises(DidNotStart) as failure:
        supervisor.until(lambda: False, "web to answer", 10)
    assert str(failure.value) == "web ended with exit status 1.\n    the port is taken"


def test_waiting_ends_when_a_signal_asks_us_to_stop(supervisor: Supervisor) -> None:
    pid = supervisor.start(program("web", "import signal; signal.pause()"))
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Stopped):
        supervisor.until(lambda: False, "web to answer", 10)
    assert alive(pid)


def test_a_log_holds_what_was_said_since_the_last_start(supervisor: Supervisor) -> None:
    for word in ("one", "two"):
        supervisor.run(program("database", f"print('{word}')"), 10)
    assert supervisor.log("database").read_text() == "two\n"
