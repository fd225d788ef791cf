"""What the locks pin, what an auditor and a bill of materials say of it."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.deployment import ROOT
from tests.servers import free_port

PIN = re.compile(r"^([a-z0-9.-]+)==([^ ;\\]+)", re.MULTILINE)
LOCKS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-image.txt",
    "requirements-sbom.txt",
    "benchmarks/peers/requirements.txt",
)
FIXED = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}
AFFECTED = {"package": {"name": "one", "ecosystem": "PyPI"}, "ranges": [FIXED]}
KNOWN = {"id": "TEST-2026-1", "summary": "A hole for tests.", "affected": [AFFECTED]}
NOT_IN_THE_IMAGE = {"dev", "dkim"}  # dkimpy has no wheel; docs/deploying.md says how to add it
ONE = f"one==1.0 --hash=sha256:{'0' * 64}\n"


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text("utf-8")))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_for_each_package(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert len(pins(lock)) > 20
    bare = [line for line in text.splitlines() if PIN.match(line) and not line.endswith("\\")]
    assert not bare, f"{bare} can be replaced by anything of that version: run `make lock`"
    assert "git+" not in text


def test_the_image_has_what_the_extras_name_and_nothing_of_development() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = {
        name: re.findall(r"^([\w-]+)", text, re.MULTILINE) for name, text in config["options.extras_require"].items()
    }
    running = {name for extra, names in extras.items() if extra not in NOT_IN_THE_IMAGE for name in names}
    missing = running - pins("requirements-image.txt").keys()
    assert not missing, f"add their extras to IMAGE_EXTRAS in the Makefile and compile the lock: {missing}"
    assert "pytest" not in pins("requirements-image.txt")


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-image.txt"])
def test_what_is_tested_is_what_runs(lock: str) -> None:
    tested = pins("requirements-dev.txt")
    assert {name: tested.get(name, version) for name, version in pins(lock).items()} == pins(lock)


class Advisories(BaseHTTPRequestHandler):
    """An advisory service as OSV is one: it answers each question with `answer`."""

    answer: tuple[int, object] = (200, {})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, found = self.answer
        content = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Quiet."""


@contextmanager
def advisories(status: int, found: object) -> Iterator[int]:
    handler = type("Answering", (Advisories,), {"answer": (status, found)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def audit(folder: Path, port: int) -> tuple[int, str]:
    """Run `.ci/audit` on a lock of one package against the service at `port`."""
    lock = folder / "lock.txt"
    lock.write_text(ONE)
    environment = {
        **os.environ, "PYTHON": sys.executable, "PIP_AUDIT_VULNERABILITY_SERVICE": "osv",
        "PIP_AUDIT_OSV_URL": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1", "XDG_CACHE_HOME": str(folder),
    }  # fmt: skip
    command = [str(ROOT / ".ci/audit"), str(lock)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def test_a_known_vulnerability_fails_the_audit_and_is_named(tmp_path: Path) -> None:
    with advisories(200, {"vulns": [KNOWN]}) as port:
        status, said = audit(tmp_path, port)
    assert status == 1
    assert said == "one 1.0 TEST-2026-1 fixed in 1.1\n"


def test_an_audit_that_finds_nothing_says_so(tmp_path: Path) -> None:
    with advisories(200, {}) as port:
        status, said = audit(tmp_path, port)
    assert (status, "1 packages looked at, 0 that" in said) == (0, True)


def test_a_service_that_is_away_or_ill_skips_the_audit_with_a_word(tmp_path: Path) -> None:
    with advisories(503, {}) as port:
        ill = audit(tmp_path, port)
    away = audit(tmp_path, free_port())
    for status, said in (ill, away):
        assert (status, said.startswith("SKIPPED")) == (0, True)


def test_a_lock_that_cannot_be_read_is_no_reason_to_skip(tmp_path: Path) -> None:
    command = [str(ROOT / ".ci/audit"), str(tmp_path / "none.txt")]
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "SKIPPED" not in done.stdout


@pytest.mark.soak
def test_the_bill_of_materials_names_every_package_of_the_image_and_no_time(tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", ".git", "var", ".*_cache"))
    subprocess.run(["make", "sbom", f"PYTHON={sys.executable}"], cwd=folder, check=True, timeout=600)
    found = json.loads((folder / "build/sbom.cdx.json").read_bytes())
    assert found["bomFormat"] == "CycloneDX"
    assert {each["name"]: each["version"] for each in found["components"]} == pins("requirements-image.txt")
    assert found.keys().isdisjoint({"serialNumber"})
    assert found["metadata"].keys().isdisjoint({"timestamp"})


def test_what_is_tested_reads_workbooks_as_what_runs_does() -> None:
    assert "lxml" not in pins("requirements-dev.txt").keys() | pins("requirements-image.txt").keys()
