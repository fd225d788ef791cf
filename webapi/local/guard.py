"""Ends process groups when its standard input ends, which it does when the supervisor stops or is killed.

A line `start LEADER FLOOR` puts a group in its care, `gone LEADER` takes it out. Higher floors end first.
It imports the standard library only, and is started by its path, so that it stands before the first child does.
"""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404 - what is run is ours
import sys
import time
from collections.abc import Sequence
from typing import IO

GRACE = 10.0  # seconds; then what is left is killed
AFTER_KILL = 2.0  # seconds that the kernel may take to remove what was killed
STEP = 0.02  # seconds between two looks; nobody is told when a process ends that is not a child


class Guard:
    """The supervisor's end of the pipe. `held` are descriptors that stay open while anything runs.

    `grace` is how many seconds a floor has for an orderly end.
    """

    def __init__(self, held: Sequence[int] = (), grace: float = GRACE) -> None:
        self._held, self._grace = held, grace
        self._floors: dict[int, int] = {}
        self._start()

    def take(self, leader: int, floor: int) -> None:
        self._floors[leader] = floor
        self._tell(f"start {leader} {floor}")

    def release(self, leader: int) -> None:
        del self._floors[leader]
        self._tell(f"gone {leader}")

    def ensure(self) -> None:
        """Put another one in its place if it was killed."""
        if self._process.poll() is not None:
            self._start()

    def dismiss(self) -> None:
        """Have everything ended; `done` says when that is so."""
        self._pipe.close()

    @property
    def done(self) -> bool:
        return self._process.poll() is not None

    def _start(self) -> None:
        command = [sys.executable, "-I", __file__, str(self._grace)]
        self._process = subprocess.Popen(  # noqa: S603 # nosec B603 - a command of ours, and no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, pass_fds=self._held
        )
        assert self._process.stdin is not None
        self._pipe: IO[bytes] = self._process.stdin
        for leader, floor in self._floors.items():
            self._tell(f"start {leader} {floor}")

    def _tell(self, line: str) -> None:
        try:
            self._pipe.write(f"{line}\n".encode())
            self._pipe.flush()
        except BrokenPipeError:
            self._process.wait()
            self._start()


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the terminal's Ctrl-C and its end are for the supervisor
    floors: dict[int, int] = {}
    for line in sys.stdin:
        word, leader, *floor = line.split()
        if word == "start":
            floors[int(leader)] = int(floor[0])
        else:
            floors.pop(int(leader), None)
    for storey in sorted(set(floors.values()), reverse=True):
        end([leader for leader, floor in floors.items() if floor == storey], float(sys.argv[1]))


def end(leaders: list[int], grace: float) -> None:
    """Ask each leader to end, then kill what is left of its group.

    Only the leader is asked: it knows how to end its children, and a worker's child that is sending a
    mail should finish it.
    """
    for leader in leaders:
        send(leader, signal.SIGTERM)
    _wait(leaders, grace)
    for leader in leaders:
        send(-leader, signal.SIGKILL)
    _wait([-leader for leader in leaders], AFTER_KILL)


def _wait(targets: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(send(target, 0) for target in targets) and time.monotonic() < deadline:
        time.sleep(STEP)


def send(target: int, number: int) -> bool:
    """Signal a process, or a group if `target` is negative. False when there is none."""
    try:
        os.kill(target, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return False
    return True


if __name__ == "__main__":
    main()
