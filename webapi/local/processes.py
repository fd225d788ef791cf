"""The supervisor: starts programs, starts them again when they die, and leaves none of them behind."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen  # nosec B404 - for the types
from types import TracebackType
from typing import Self

from webapi.local import guard
from webapi.local.programs import LONGEST_PAUSE, Child, Program, spawn, tail
from webapi.local.signals import Signals

LOOK = 0.05  # seconds between two looks at a condition of which nobody tells us


class Stopped(Exception):
    """A signal asked us to stop while we were waiting for something."""


class DidNotStart(Exception):
    """Something did not come up. The message is a sentence and, where there is one, the end of a log."""


class Supervisor:
    """Runs programs from `folder`, each in a process group and with a log of its own in `logs`.

    While it is entered it has SIGINT, SIGTERM and SIGHUP. When it is left, or killed by whatever
    signal, all groups end: the guard holds a pipe to it, and on Linux the kernel tells each child.
    Descriptors in `held` stay open in the guard: a lock among them is free when nothing runs any more.
    After `grace` seconds, what has not ended is killed. What dies is started again after a pause that
    grows to `longest_pause` seconds. `ends` lists what died while it was watched, and how.
    """

    def __init__(
        self,
        folder: Path,
        logs: Path,
        say: Callable[[str], None],
        *,
        held: Sequence[int] = (),
        grace: float = guard.GRACE,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        self._folder, self._logs, self._say = folder, logs, say
        self._held, self._grace, self._longest_pause = held, grace, longest_pause
        self.ends: list[tuple[str, str]] = []
        self._signals = Signals()
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        self._guard = guard.Guard(self._held, self._grace)
        self._signals.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._guard.dismiss()
        while not self._guard.done:
            self._signals.wait(LOOK)
            for child in self._children.values():
                child.process.poll()  # a dead child that nobody waited for would look alive to the guard
        for child in self._children.values():
            if child.due is None:
                guard.send(-child.process.pid, signal.SIGKILL)  # there is nothing, unless somebody killed the guard
                child.process.wait()
        self._signals.__exit__(kind, error, trace)

    def start(self, program: Program) -> int:
        """Start a program, with an empty log. Returns its process id."""
        self.log(program.name).write_bytes(b"")
        child = self._children[program.name] = Child(program, self._spawn(program))
        return child.process.pid

    def run(self, program: Program, seconds: float) -> None:
        """Run a program to its end. Raises Stopped, and DidNotStart when it fails or is not over in `seconds`."""
        self.start(program)
        child = self._children.pop(program.name)
        try:
            self.until(lambda: child.ended is not None, f"{program.name} to end", seconds)
            if child.process.returncode != 0:
                raise self._failure(program.name, f"{program.name} {child.ended}.")
        finally:
            self._bury(child)

    def until(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for `what`, which begins with a program's name.

        Raises Stopped, and DidNotStart when a program dies meanwhile or the time is up.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            self.pause(0)
            for name, child in self._children.items():
                if child.ended is not None:
                    raise self._failure(name, f"{name} {child.ended}.")
            if time.monotonic() > deadline:
                raise self._failure(what.split()[0], f"Waited {seconds:g} s in vain for {what}.")
            self._signals.wait(LOOK)

    def pause(self, seconds: float) -> None:
        """Let time pass. Raises Stopped when a signal asks us to stop."""
        self._signals.wait(seconds)
        if self._signals.stop:
            raise Stopped

    def watch(self, over: threading.Event | None = None) -> None:
        """Keep all programs running until a signal asks us to stop, or until another thread says that it is over."""
        while not (self._signals.stop or (over and over.is_set())):
            dues = [child.due - time.monotonic() for child in self._children.values() if child.due is not None]
            pause = max(0.0, min(dues)) if dues else None
            self._signals.wait(pause if over is None else min(LOOK, pause or LOOK))
            self._guard.ensure()
            for child in self._children.values():
                self._look_after(child)

    def pid(self, name: str) -> int:
        """The process that runs a program, or ran it last; it leads a process group."""
        return self._children[name].process.pid

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _look_after(self, child: Child) -> None:
        name = child.program.name
        if child.due is None and child.ended is not None:
            self._bury(child)
            self.ends.append((name, child.ended))
            child.plan_revival(self._longest_pause)
            self._say(f"{name} {child.ended}; starting it again in {child.pause:g} s. Its log: {self.log(name)}")
        elif child.due is not None and child.due <= time.monotonic():
            child.process, child.began, child.due = self._spawn(child.program), time.monotonic(), None

    def _spawn(self, program: Program) -> Popen[bytes]:
        process = spawn(program, self._folder, self.log(program.name))
        self._guard.take(process.pid, program.floor)
        return process

    def _bury(self, child: Child) -> None:
        """End a child with all that it left behind: a second one of it would meet the first one's children."""
        guard.send(-child.process.pid, signal.SIGKILL)
        child.process.wait()
        self._guard.release(child.process.pid)

    def _failure(self, name: str, sentence: str) -> DidNotStart:
        return DidNotStart(sentence + tail(self.log(name)))
