"""The child as a program: frames on its output, and who may be its parent."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from webapi.services.queries.child import LONGEST_FRAME, frame
from webapi.services.queries.process import BOOT
from webapi.services.queries.sources import Refusal

FOLDER = Path(__file__).parents[3] / "webapi" / "services" / "queries"


def started(parent: int, **request: Any) -> subprocess.CompletedProcess[bytes]:
    limits = {"memory_bytes": 128 << 20, "seconds": 10, "rows": 10, "temp_bytes": 0}
    text = json.dumps({"task": "names", "sql": "SELECT $b, $a", "parent": parent, "limits": limits} | request)
    command = [sys.executable, "-I", "-c", BOOT, str(FOLDER)]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=False, env={}, timeout=60)


def test_a_frame_is_a_letter_a_length_and_json() -> None:
    done = started(os.getpid())
    body = b'{"parameters":["a","b"],"tables":[]}'
    assert (done.returncode, done.stdout) == (0, b"N\0\0\0" + bytes([len(body)]) + body)


def test_a_child_of_somebody_else_does_nothing() -> None:
    done = started(1)
    assert (done.returncode, done.stdout) == (1, b"")


def test_the_child_imports_nothing_of_the_web_process() -> None:
    watched = BOOT + "print(sorted(n for n in sys.modules if n.split('.')[0] in ('webapi', 'flask')), file=sys.stderr)"
    text = json.dumps({"task": "names", "sql": "SELECT 1", "parent": os.getpid()} | {"limits": {}})
    command = [sys.executable, "-I", "-c", watched, str(FOLDER)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=60)
    assert done.stderr.decode().strip() == "[]"


def test_a_frame_too_long_is_refused() -> None:
    out = io.BytesIO()
    with pytest.raises(Refusal, match="larger than 64 MB"):
        frame(out, b"R", "x" * LONGEST_FRAME)
    assert out.getvalue() == b""
