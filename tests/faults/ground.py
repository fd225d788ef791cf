"""What the sweep of gaps stands on: a process that dies at a gap, and whoever takes over after it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import update

from tests.conftest import Person
from tests.processes import ROOT, settings_of
from tests.waiting import until
from webapi.config import environment
from webapi.extensions import db
from webapi.models import FINAL, Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.queue.audit import audit
from webapi.queue.relay import Relay
from webapi.queue.run import work


class Zygote:
    """A process that has imported everything and forks a victim for each step, which saves seconds each time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"], cwd=ROOT, env=environment({}), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, environment: dict[str, str], log: Path, *step: str) -> int:
        """The exit code of the victim; negative for the signal that ended it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"environment": environment, "log": str(log), "step": step}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class Killer:
    """Runs one step in a process that dies at a gap."""

    def __init__(self, app: Flask, owner: Person, folder: Path, zygote: Zygote) -> None:
        self.app, self.owner, self.token, self.zygote = app, owner, folder / "token", zygote

    def __call__(self, gap: str, step: str, kind: str, payload: BaseModel) -> None:
        self.token.touch()
        changes = settings_of(self.app) | {"FAILPOINT": f"{gap}={self.token}"}
        log = self.token.with_suffix(".log")
        code = self.zygote.run(changes, log, step, kind, str(self.owner.id), payload.model_dump_json())
        assert code == -signal.SIGKILL, f"{gap} was not reached: {log.read_text()[-2000:]}"


class Frozen:
    """One step in a process that is stopped with SIGSTOP at a gap, and goes on when it is told to."""

    def __init__(self, app: Flask, owner: Person, folder: Path, gap: str, step: str, kind: str) -> None:
        token = folder / "token"
        token.write_text("freeze")
        self._log = folder / "frozen.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim", step, kind, str(owner.id), "{}"],
                cwd=ROOT, env=environment(settings_of(app) | {"FAILPOINT": f"{gap}={token}"}), stdout=log, stderr=log,
            )  # fmt: skip
        until(self._stopped, seconds=30, what=f"the process to freeze at {gap}; see {self._log}")

    def wake(self) -> None:
        """SIGCONT, and wait for its end."""
        self._process.send_signal(signal.SIGCONT)
        assert self._process.wait(30) == 0, self._log.read_text()[-2000:]

    def _stopped(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()[-2000:]
        return bool(psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED)


def accept(app: Flask, ada: Person, kind: str, payload: BaseModel, **options: Any) -> UUID:
    with app.app_context():
        return submit(kind, payload, owner_id=ada.id, **options).id


def recover(app: Flask, kind: str, job_id: UUID) -> State:
    """What any living worker would do, until the job is over."""

    def over() -> State | None:
        Relay(app).run_once()
        with app.app_context():
            with (
                writing() as session
            ):  # time passes: leases of the dead end, and whoever is to be tried again has waited
                session.execute(update(Job).where(Job.state == State.RUNNING).values(lease_until=after(-60)))
                session.execute(update(Job).where(Job.state == State.RETRYING).values(run_at=after(0)))
            work(kind_named(kind))
            state = State(db.session.get_one(Job, job_id).state)
            return state if state in FINAL else None

    return until(over, seconds=15, what=f"{kind} to be over")


def broken(app: Flask) -> list[str]:
    with app.app_context():
        return [finding.name for finding in audit() if finding.offenders]
