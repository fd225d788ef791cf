"""Importing a module does nothing: no connection, no file, no thread, no look at the environment."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contracts.source import ROOT, modules

# Runs in a process of its own. Libraries may look at the environment when they are imported; a read counts
# when our own code does it, by itself or by making its settings.
WATCHER = """
import importlib, json, os, sys, threading
root, names = sys.argv[1], json.loads(sys.argv[2])
sys.path.insert(0, root)
seen = []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC

def watch(event, args):
    if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.fork"}:
        seen.append(f"{event} {args[1:]}")
    if event == "open" and isinstance(args[2], int) and args[2] & WRITES and str(args[0]) != os.devnull:
        seen.append(f"writes {args[0]}")
    if event in {"os.mkdir", "os.rename", "os.remove"}:
        seen.append(f"{event} {args[0]}")

class Watched(type(os.environ)):
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] in {"os", "collections.abc"}:
            frame = frame.f_back
        if frame.f_globals["__name__"].partition(".")[0] in {"webapi", "pydantic_settings"}:
            seen.append(f"reads {key} of the environment")
        return super().__getitem__(key)

os.environ.__class__ = Watched
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
print(json.dumps({"seen": seen, "threads": threads, "files": os.listdir(".")}))
"""

# What a library does when it is imported, and why that is harmless.
LIBRARIES = {"socket.bind (('::1', 0),)"}  # urllib3 looks once whether this machine has IPv6; nothing listens


@cache
def importing_everything() -> dict[str, list[str]]:
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-B", "-c", WATCHER, str(ROOT), json.dumps(list(modules()))]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return {what: [each for each in seen if each not in LIBRARIES] for what, seen in found.items()}


@pytest.mark.parametrize(
    ("what", "remedy"),
    [
        ("seen", "connect, open and read in init_app or when it is first needed"),
        ("threads", "start it by the entry point"),
        ("files", "make it when it is first written"),
    ],
)
def test_importing_does_nothing(what: str, remedy: str) -> None:
    assert importing_everything()[what] == [], remedy


def test_the_watcher_sees_what_it_is_there_for(tmp_path: Path) -> None:
    (tmp_path / "webapi").mkdir()
    (tmp_path / "webapi" / "__init__.py").write_text(
        "import os, socket\nos.environ.get('PATH')\nopen('made', 'w').close()\n"
        "import pydantic_settings\n"
        "type('S', (pydantic_settings.BaseSettings,), {'__annotations__': {'HOME': str}})(HOME='x')\n"
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))\n"
    )
    command = [sys.executable, "-B", "-c", WATCHER, str(tmp_path), '["webapi"]']
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    found = json.loads(done.stdout)
    assert {each.split()[0] for each in found["seen"]} == {"reads", "writes", "socket.connect"}
    assert any(each.startswith("reads HOME") for each in found["seen"])
    assert len(found["threads"]) == 1
