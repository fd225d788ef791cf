from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from tests.processes import ROOT
from tests.servers import free_port
from tests.waiting import until
from webapi.serve import command


def start(changes: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if name not in {"LIVE_WATCHERS", "WEB_THREADS"}}
    with log.open("wb") as output:
        words = [sys.executable, "-m", "webapi.serve"]
        return subprocess.Popen(words, cwd=ROOT, env={**inherited, **changes}, stdout=output, stderr=output)


def answers(port: int) -> bool:
    with suppress(OSError):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def test_the_server_has_a_thread_for_each_request_that_runs_or_waits_and_each_watcher(tmp_path: Path) -> None:
    port = free_port()
    process = start({"PORT": str(port), "DATABASE_URL": f"sqlite:///{tmp_path}/webapi.db"}, tmp_path / "log")
    try:
        until(lambda: answers(port), seconds=60, what=f"the server; see {tmp_path / 'log'}")
        words = psutil.Process(process.pid).cmdline()
        assert words[2:4] == ["granian", "wsgi:app"], "it is the server itself that is to be stopped"
        assert words[words.index("--blocking-threads") + 1] == str(16 + 4 * 16 + 200)
        assert psutil.Process(process.pid).environ()["LIVE_WATCHERS"] == "200"
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_setting_that_is_wrong_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    process = start({"WEBAPI_ENV": "production", "SECRET_KEY": "short"}, tmp_path / "log")
    assert process.wait(60) == 1
    assert (tmp_path / "log").read_text().startswith("SECRET_KEY: set a random one")


def test_the_command_says_where_to_listen_and_with_how_many_processes() -> None:
    words = command("0.0.0.0", 80, 4, processes=2)
    assert words[words.index("--host") + 1] == "0.0.0.0"
    assert words[words.index("--workers") + 1] == "2"
