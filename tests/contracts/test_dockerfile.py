"""The image holds what the lock and the sources say, and runs as nobody in particular."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import deployment
from tests.deployment import ROOT, image_environment, last_stage, one

STEPS = deployment.dockerfile()
ALLOWED = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}


def test_the_linter_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{Path(sys.prefix) / 'bin'}")
    if linter is None:
        pytest.skip("hadolint is not installed here: its wheel is for Linux and macOS")
    done = subprocess.run([linter, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_a_slim_debian_of_a_python_that_we_test() -> None:
    bases = {step.text.partition(" ")[0] for step in STEPS if step.word == "FROM"}
    assert bases == {"python:3.13-slim-trixie"}, "typst has no wheel for musl, and both stages need the same Python"
    assert "Programming Language :: Python :: 3.13" in (ROOT / "setup.cfg").read_text("utf-8")


def test_only_what_the_lock_names_is_installed() -> None:
    installs = [step.text for step in STEPS if step.word == "RUN" and "install " in step.text and "pip " in step.text]
    assert len(installs) == 1
    for option in ("--require-hashes", "--only-binary :all:", "-r requirements-image.txt"):
        assert option in installs[0]
    assert not [step for step in STEPS if step.word == "ADD" or "curl" in step.text or "apt-get" in step.text]


def test_it_runs_as_a_user_that_is_seen_not_to_be_root() -> None:
    user, _, group = one("USER").partition(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    words = [step.word for step in last_stage()]
    assert words.index("USER") > max(number for number, word in enumerate(words) if word in {"COPY", "RUN"})


def test_it_is_safe_unless_somebody_says_otherwise() -> None:
    environment = image_environment()
    assert environment["WEBAPI_ENV"] == "production"
    assert environment["STORAGE_URL"] in " ".join(step.text for step in last_stage() if step.word == "RUN")
    assert environment["PATH"].startswith("/opt/venv/bin:")


def test_the_labels_hold_no_time_of_building() -> None:
    labels = one("LABEL")
    for name in ("title", "description", "licenses", "version", "revision", "source", "created"):
        assert f"org.opencontainers.image.{name}=" in labels
    assert 'CREATED="1970-01-01T00:00:00Z"' in one("ARG")
    assert "unchecked-hash" in " ".join(step.text for step in STEPS), "bytecode would hold the times of its sources"


def test_nothing_slips_into_the_image() -> None:
    assert {"requirements-image.txt", "wsgi.py", "webapi", "migrations", "LICENSE"} == ALLOWED
    first = (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1]
    assert first == "*", "what nobody allowed must stay out"
    assert all((ROOT / name).exists() for name in ALLOWED)
