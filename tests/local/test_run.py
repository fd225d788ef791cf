"""`python -m webapi.local run`, as somebody at a terminal sees it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import until
from webapi.config import Settings, environment
from webapi.local import ports
from webapi.local.browser import Browser
from webapi.services import inbox

PROJECT = Path(__file__).parent.parent.parent
LAST_LINE = "\n\nCtrl-C stops everything."


class Terminal:
    """A folder with the project in it, an environment without settings, and a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.screen = folder / "screen"
        for name in ("wsgi.py", "webapi", "migrations"):
            (folder / name).symlink_to(PROJECT / name)
        self.environment = {name: value for name, value in environment({}).items() if name not in Settings.model_fields}
        self.runs: list[subprocess.Popen[bytes]] = []

    def run(self, **changes: str) -> subprocess.Popen[bytes]:
        with self.screen.open("wb") as screen:
            run = subprocess.Popen(
                [sys.executable, "-m", "webapi.local", "run"],
                cwd=self.folder, env=self.environment | changes, stdout=screen, stderr=screen,
            )  # fmt: skip
        self.runs.append(run)
        return run

    def up(self) -> str:
        """What the screen shows when everything is up."""
        until(lambda: LAST_LINE in self.screen.read_text(), seconds=90, what="the screen")
        return self.screen.read_text()

    def left(self) -> list[str]:
        """What runs in the folder."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if _folder_of(process) == self.folder]


def _folder_of(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd())
    except psutil.Error:
        return None


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path.resolve())
    yield terminal
    for run in terminal.runs:
        run.kill()
        run.wait()
    until(lambda: not terminal.left(), seconds=30, what="everything to end")


def curl(line: str) -> Any:
    """Do what the line on the screen does, on a machine that may have no curl."""
    words = shlex.split(line)
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    match = re.fullmatch(r"(http://[^/]+)(/.+)", next(word for word in words if word.startswith("http://")))
    assert match is not None
    program = Browser(match[1], headers["Authorization"].removeprefix("Bearer "))
    answer = program.post(match[2], json.loads(words[words.index("-d") + 1]))
    assert answer.status == 202, answer.body
    job = answer.json()["id"]
    return until(lambda: (shown := program.get(f"/api/v1/jobs/{job}").json())["finished_at"] and shown, what="the job")


def test_every_line_of_the_screen_works_and_ctrl_c_leaves_nothing(terminal: Terminal) -> None:
    run = terminal.run(PORT=str(ports.free()))
    screen = terminal.up()
    var = terminal.folder / "var"

    job = curl(next(line for line in screen.splitlines() if line.strip().startswith("curl")))
    assert (job["kind"], job["state"]) == ("email.send", "succeeded")
    (mail,) = inbox.messages(var / "inbox")
    assert (mail.to, mail.subject) == (("you@example.com",), "Hello")

    said = re.search(r"Address +(\S+)\n +Sign in +(\S+) +(\S+)\n +Inbox +(\S+)", screen)
    assert said is not None
    address, email, password, inbox_page = said.groups()
    person = Browser(address)
    assert person.fill_in("/login", {"email": email, "password": password}).path == "/"
    assert b"Hello" in person.get(inbox_page).body

    joined = "from webapi.config import from_env; print(from_env()['REDIS_URL'], from_env()['PUBLIC_URL'])"
    second = subprocess.check_output(
        [sys.executable, "-c", joined], cwd=terminal.folder, env=terminal.environment, text=True
    )
    assert re.fullmatch(rf"redis://:\w{{48}}@127.0.0.1:\d+/0 {address}\n", second)
    private = [var, var / "run.env", var / "secret-key", var / "inbox", var / "valkey"]
    assert not [path for path in private if path.stat().st_mode & 0o077]

    run.send_signal(signal.SIGINT)
    assert run.wait(40) == 0
    assert terminal.left() == []
    assert not (var / "run.env").exists()


@pytest.mark.soak
def test_a_run_beside_another_is_refused_and_one_after_a_kill_comes_up(terminal: Terminal) -> None:
    first = terminal.run(PORT=str(ports.free()))
    terminal.up()
    beside = terminal.run()
    assert beside.wait(60) == 1
    assert f"already (process {first.pid})" in terminal.screen.read_text()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    again = terminal.run(PORT=str(ports.free()))
    terminal.up()
    again.send_signal(signal.SIGTERM)
    assert again.wait(40) == 0
    assert terminal.left() == []


def test_a_part_that_does_not_start_is_named_and_nothing_is_left(terminal: Terminal) -> None:
    run = terminal.run(DATABASE_URL=f"postgresql://nobody@127.0.0.1:{ports.free()}/nothing")
    assert run.wait(90) == 1
    assert "database ended with exit status 1." in terminal.screen.read_text()
    assert "Connection refused" in terminal.screen.read_text()
    assert terminal.left() == []
