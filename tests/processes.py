"""Real Celery workers for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
from flask import Flask
from sqlalchemy import func, select

from tests.waiting import until
from webapi.config import Settings, environment
from webapi.extensions import db
from webapi.models import Worker

ROOT = Path(__file__).parent.parent


def settings_of(app: Flask) -> dict[str, str]:
    """The environment that makes another process the same app."""
    values: dict[str, Any] = {
        name: app.config[name] for name in Settings.model_fields if app.config.get(name) is not None
    }
    return {name: json.dumps(value) if isinstance(value, list | dict) else str(value) for name, value in values.items()}


def python_children() -> list[psutil.Process]:
    """The isolated programs that this process has started: not the servers and workers that other tests share."""
    return [each for each in psutil.Process().children() if _is_isolated(each)]


def _is_isolated(process: psutil.Process) -> bool:
    try:
        return "-I" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


class RealWorker:
    """`celery -A tests.wsgi:celery worker`, or of another `program`, ready when its row is in the ledger."""

    def __init__(
        self,
        app: Flask,
        log: Path,
        concurrency: int = 2,
        queues: str = "default,email,reports",
        program: str = "tests.wsgi",
    ) -> None:
        self.app = app
        self.log = log
        self.command = [
            sys.executable, "-m", "celery", "-A", f"{program}:celery", "worker", "-c", str(concurrency), "-Q", queues,
            "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO",
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> RealWorker:
        before = self._rows()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=environment(settings_of(self.app)), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        until(lambda: self._rows() > before, seconds=90, what=f"the worker to be ready; see {self.log}")
        return self

    def main(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        children: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return children

    def stop(self) -> int:
        """SIGTERM and wait; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL to the whole group, as when a machine goes away."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def _rows(self) -> int:
        with self.app.app_context():
            return db.session.scalar(select(func.count()).select_from(Worker)) or 0
