"""`python -m webapi.local drill` in small, from the first process to the last, and what its report says of others."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from webapi.config import environment
from webapi.local.drill.chaos import Kill
from webapi.local.drill.conduct import Outcome
from webapi.local.drill.oracle import Evidence, Judgement
from webapi.local.drill.plan import FAULTS, Plan, Size
from webapi.local.drill.recovery import Recovery
from webapi.local.drill.report import Report
from webapi.queue.audit import Finding

PROJECT = Path(__file__).parent.parent.parent
SMALL = Size(jobs=80, faults=16, seconds=8, least_jobs=80, least_hits=8)
RUN = f"""
import sys
from webapi.local.drill.plan import Size
from webapi.local.drill.stage import drill
sys.exit(drill("sqlite", 7, {SMALL}))
"""
KINDS = ("email.send", "report.build", "data.process", "http.call")


def test_a_small_drill_passes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # A DATABASE_URL of this machine must not matter to a drill on SQLite.
    given = {"DATABASE_URL": "postgresql://127.0.0.1:1/x", "TMPDIR": str(tmp_path)}
    drill = subprocess.run(
        [sys.executable, "-c", RUN], cwd=PROJECT, env=environment(given),
        check=False, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert drill.returncode == 0, drill.stdout + drill.stderr
    hits, kills = map(int, re.findall(r"Kills that hit / all +(\d+) / (\d+)", drill.stdout)[0])
    assert SMALL.least_hits <= hits <= kills
    assert kills >= SMALL.faults
    assert re.search(r"^Submitted +80 ", drill.stdout, re.MULTILINE)
    assert re.search(r"^Lost +0$", drill.stdout, re.MULTILINE)
    assert "PASSED" in drill.stdout
    assert list(tmp_path.iterdir()) == []
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(each.info["cmdline"])]


def test_a_seed_decides_what_is_asked_for_and_what_is_killed() -> None:
    size = Size.of(3)
    assert Plan(7, size, KINDS).make() == Plan(7, size, KINDS).make()
    assert Plan(7, size, KINDS).make() != Plan(8, size, KINDS).make()


def test_the_default_holds_enough_work_of_every_sort() -> None:
    size = Size.of(3)
    orders, faults = Plan(1, size, KINDS).make()
    assert len(orders) >= 2000
    assert len(faults) >= 300
    assert set(faults) == set(FAULTS)
    assert min(Counter(order.kind for order in orders).values()) > 100
    assert {len(order.effects) for order in orders if order.kind == "email.send"} == {1, 2, 3}
    assert {order.then for order in orders} == {"", "cancel", "replay"}
    effects = [effect for order in orders for effect in order.effects]
    assert len(set(effects)) == len(effects), "an effect names its order"


def test_a_kind_that_the_program_does_not_have_is_left_out() -> None:
    orders, _ = Plan(1, Size.of(3), ["email.send"]).make()
    assert {order.kind for order in orders} == {"email.send"}


def report(judgement: Judgement, *, hits: int = 300, jobs: int = 2000, offenders: tuple[str, ...] = ()) -> Report:
    kills = [Kill("worker child", 0.0, True)] * hits
    evidence = Evidence([], [], [{"id": str(number), "kind": "email.send"} for number in range(jobs)], {})
    findings = [Finding("I3", "an attempt has one owner", offenders)]
    outcome = Outcome(judgement, evidence, kills, Recovery(None, None, None), findings, 0, 0, 0)
    return Report(datetime(2026, 1, 1, tzinfo=UTC), "sqlite", 7, Size.of(3), 170.0, outcome, [])


def test_a_drill_without_a_fault_in_which_enough_happened_is_passed() -> None:
    assert report(Judgement()).passed
    assert str(report(Judgement())).endswith("\nPASSED")


def test_a_drill_in_which_not_enough_happened_is_not_passed() -> None:
    for short in (report(Judgement(), hits=299), report(Judgement(), jobs=1999)):
        assert not short.passed
        assert "Not enough happened" in str(short)


def test_a_drill_with_any_fault_is_not_passed_and_says_what_it_was() -> None:
    for fault in ({"lost": ["x"]}, {"duplicated": ["x"]}, {"false": ["x"]}):
        assert not report(Judgement(**fault)).passed  # type: ignore[arg-type]
    assert not report(Judgement(), offenders=("job-1",)).passed
    deaf = report(Judgement())
    deaf = replace(deaf, outcome=replace(deaf.outcome, deaf=1))
    assert "1 workers live and take no jobs." in str(deaf)
    assert str(deaf).endswith("\nFAILED")
    assert "Lost: job-1 was lost." in str(report(Judgement(lost=["job-1 was lost."])))
