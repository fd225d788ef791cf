"""`python -m webapi.local demo`, from the first process to the last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from webapi.config import environment

PROJECT = Path(__file__).parent.parent.parent


def test_the_demo_goes_through_all_doors_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # Settings of this machine must not matter: a demo that used these would reach nothing.
    given = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "MAIL_SERVER": "127.0.0.1", "MAIL_USE_TLS": "true"}
    demo = subprocess.run(
        [sys.executable, "-m", "webapi.local", "demo"],
        cwd=PROJECT, env=environment({**given, "TMPDIR": str(tmp_path)}),
        check=False, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert demo.returncode == 0, demo.stderr
    assert "All of it is as promised." in demo.stdout
    assert "4 were due, each has arrived, none twice" in demo.stdout
    assert "Subject: Welcome to webapi" in demo.stdout
    assert list(tmp_path.iterdir()) == []
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(each.info["cmdline"])]
