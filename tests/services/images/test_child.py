"""The program that the child runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.services.images.pictures import encoded, order, photo
from webapi.services.images.order import Order
from webapi.services.images.running import START

PACKAGE = Path(__file__).parents[3] / "webapi" / "services" / "images"
COMMAND = [sys.executable, "-I", "-c", START, str(PACKAGE / "__init__.py"), str(PACKAGE)]


def said(asked: Order, parent: int) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [*COMMAND, str(parent)], input=json.dumps(asdict(asked)).encode(), capture_output=True, check=False, timeout=60
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_it_says_how_far_it_is_and_what_it_has_drawn(tmp_path: Path) -> None:
    code, lines = said(order(tmp_path, encoded(photo(), "PNG"), (300, None), (60, None)), os.getpid())
    shares = [line["share"] for line in lines[:-1]]
    assert code == 0
    assert shares == sorted(shares)
    assert lines[-1]["done"]["pictures"] == [{"width": 300, "height": 200}, {"width": 60, "height": 40}]


def test_it_says_why_it_refuses(tmp_path: Path) -> None:
    assert said(order(tmp_path, b"", (300, None)), os.getpid()) == (0, [{"refused": "p.jpg is empty."}])


def test_it_does_nothing_for_somebody_who_is_gone(tmp_path: Path) -> None:
    assert said(order(tmp_path, encoded(photo(), "PNG"), (300, None)), os.getppid()) == (1, [])
    assert list((tmp_path / "out").iterdir()) == []


def test_it_does_not_import_the_application(tmp_path: Path) -> None:
    """That takes seconds and a hundred megabytes, and is nothing for a process that reads what strangers made."""
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], str(os.getpid())]
    asked = json.dumps(asdict(order(tmp_path, encoded(photo(), "PNG"), (300, None)))).encode()
    done = subprocess.run(command, input=asked, capture_output=True, check=True, timeout=60)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert {"PIL.Image", "images.drawing"} <= imported
    assert {each.partition(".")[0] for each in imported} & {
        "webapi",
        "flask",
        "celery",
        "sqlalchemy",
        "pydantic",
    } == set()
