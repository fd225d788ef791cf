"""What holds the promise is missed when it is taken out: each removal makes a test of its own fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import ROOT


@dataclass(frozen=True)
class Removal:
    """`there` stands once in `file`; with `instead` in its place `test` must fail."""

    file: str
    there: str
    instead: str
    test: str


REMOVALS = {
    "the fence in C2": Removal(
        "webapi/queue/finish.py",
        "move(session, State.RUNNING, to_state, *attempt.fence, actor",
        "move(session, State.RUNNING, to_state, Job.id == attempt.job_id, actor",
        "tests/queue/test_finish.py::test_a_replaced_attempt_writes_nothing_at_all",
    ),
    "the fence in E1": Removal(
        "webapi/queue/acts.py",
        "if connection.execute(MINE, fence).first() is None:",
        "if False:",
        "tests/queue/test_effects.py::test_no_act_begins_when_the_job_is_not_surely_ours",
    ),
    "the relay": Removal(
        "webapi/queue/relay.py",
        "            republish_all,\n",
        "",
        "tests/queue/test_relay.py::test_after_flushall_every_queued_job_is_rung_within_one_pass",
    ),
    "the sticky maybe": Removal(
        "webapi/queue/noting.py",
        'maybe=or_(EFFECTS.c.maybe, bindparam("unanswered", type_=Boolean))',
        'maybe=bindparam("unanswered", type_=Boolean)',
        "tests/queue/test_effects.py::test_that_it_may_have_happened_is_not_forgotten_by_a_later_answer",
    ),
    "the compare-and-set in the claim": Removal(
        "webapi/queue/ledger.py",
        ".where(Job.state == from_state, *conditions)",
        ".where(*conditions)",
        "tests/queue/test_ledger.py::test_a_job_in_another_state_stays_and_nothing_is_written",
    ),
    "the compare-and-set of a mailing's parts": Removal(
        "webapi/services/mailings/sending.py",
        "Mailing.spread == lot.begin, ",
        "",
        "tests/services/mailings/test_sending.py::test_a_spread_that_was_cut_short_goes_on_where_it_ended",
    ),
}
COPIED = ("webapi", "tests", "migrations", "wsgi.py", "setup.cfg")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program and its tests, to be spoilt."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        whole = ROOT / name
        if whole.is_dir():
            shutil.copytree(whole, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(whole, folder)
    return folder


def run(copy: Path, *tests: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "sqlite", *tests],
        cwd=copy, env={**os.environ, "PYTEST_ADDOPTS": ""}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout[-3000:]


def test_the_copy_is_whole(copy: Path) -> None:
    code, said = run(copy, *(removal.test for removal in REMOVALS.values()))
    assert code == 0, said


@pytest.mark.parametrize("name", REMOVALS)
def test_what_is_taken_out_is_missed(copy: Path, name: str) -> None:
    removal = REMOVALS[name]
    path = copy / removal.file
    whole = path.read_text()
    assert whole.count(removal.there) == 1, f"{removal.file} has changed: say again what to take out of it"
    path.write_text(whole.replace(removal.there, removal.instead))
    try:
        code, said = run(copy, removal.test)
    finally:
        path.write_text(whole)
    assert code == 1, f"without {name}, {removal.test} still passes: {said}"
