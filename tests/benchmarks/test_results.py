"""The page of `make bench`: what its programs print, and what becomes of those that fail."""

from __future__ import annotations

import sys

from benchmarks.goals import Goal, table
from benchmarks.results import Outcome, Program, page, rows, run

MET = Goal("mail: ≥ 2.5 ×", "1,000/s", "3.1 × 322/s", met=True)
MISSED = Goal("accept: ≥ 3 ×", "900/s", "0.9 × 1,000/s", met=False)
MAIL = Program(("mail", "--rows", "5"), 10, ("mail: ≥ 2.5 ×",))
ACCEPT = Program(("accept",), 10, ("accept: ≥ 3 ×", "accept in batches"))


def test_the_goals_of_all_programs_stand_in_one_table_before_what_they_printed() -> None:
    mail = Outcome(f"## Mail\n\n| | rate |\n| --- | --- |\n| ours | 1,000 |\n{table([MET])}", 12.0)
    written = page(["Machine: 2 cores"], [(MAIL, mail), (ACCEPT, Outcome(f"## Accepting\n{table([MISSED])}", 3.0))])
    top, _, below = written.partition("## Mail")
    assert "- Machine: 2 cores" in top
    assert top.index(f"\n{MET}\n{MISSED}\n") > top.index("## Goals")
    assert "| ours | 1,000 |" in below
    assert "`python -m benchmarks.mail --rows 5` took 12 s." in below
    assert "| ours | 1,000 |" not in top


def test_a_goal_says_whether_it_is_met() -> None:
    assert str(MET) == "| mail: ≥ 2.5 × | 1,000/s | 3.1 × 322/s | met |"
    assert str(MISSED).endswith("| **missed** |")


def test_a_program_that_fails_is_on_the_page_with_what_it_had_printed() -> None:
    outcome = run([sys.executable, "-c", f"print({str(table([MISSED]))!r}); raise SystemExit('no | luck')"], 60)
    assert outcome.failure == "ended with 1: no | luck"
    silent = "| accept in batches | `accept` ended with 1: no \\| luck | | **not measured** |"
    assert rows(ACCEPT, outcome) == [str(MISSED), silent]
    assert "It ended with 1: no | luck." in page([], [(ACCEPT, outcome)])


def test_a_program_whose_time_is_up_is_ended_and_reported() -> None:
    outcome = run([sys.executable, "-c", "print('begun', flush=True); import time; time.sleep(600)"], 2)
    assert (outcome.printed, outcome.failure) == ("begun", "was not over after 2 s")
    assert rows(MAIL, outcome) == ["| mail: ≥ 2.5 × | `mail --rows 5` was not over after 2 s | | **not measured** |"]


def test_a_program_that_was_not_run_or_says_nothing_of_its_goal_is_on_the_page() -> None:
    assert rows(MAIL, None) == ["| mail: ≥ 2.5 × | `mail --rows 5` not run | | **not measured** |"]
    assert "says nothing of its goal" in rows(MAIL, Outcome("## Mail", 1.0))[0]
