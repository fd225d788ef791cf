"""The states, and which of them are the end."""

from __future__ import annotations

from webapi.models import FINAL, WAITING, EffectState, State
from webapi.models.states import sql_list


def test_a_job_waits_runs_or_is_over() -> None:
    assert set(WAITING) | {State.RUNNING} | set(FINAL) == set(State)
    assert not set(WAITING) & set(FINAL)


def test_only_what_is_over_is_final() -> None:
    assert {state for state in State if state.final} == {"succeeded", "uncertain", "failed", "cancelled", "expired"}


def test_states_are_written_as_sql() -> None:
    assert sql_list(WAITING) == "'scheduled', 'queued', 'retrying'"
    assert sql_list(EffectState).startswith("'pending', ")
