"""One act on many jobs."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert, select, update
from uuid_utils.compat import uuid7

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.locks import in_the_way
from tests.queue.attempts import holding
from webapi.errors import Conflict, Malformed
from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, State
from webapi.models.transaction import writing
from webapi.queue import control, finish, kind_named, submit
from webapi.queue.audit import audit
from webapi.queue.claim import claim
from webapi.services import bulk, job_lists
from webapi.services.job_lists import Wanted
from webapi.services.job_queries import read

pytestmark = pytest.mark.usefixtures("context")
NOTES = Wanted(kinds=["test.note"])


def add(person: Person, *, kind: str = "test.note", tags: list[str] | None = None) -> UUID:
    job_id: UUID = submit(kind, Note(path="/nowhere/note"), owner_id=person.id, tags=tags or []).id
    return job_id


def state(job_id: UUID) -> str:
    db.session.rollback()
    return db.session.get_one(Job, job_id, populate_existing=True).state


def fail(kind: str = "test.note") -> None:
    attempt = claim(kind_named(kind))
    assert attempt is not None
    with holding(attempt):
        finish.failed(attempt, ValueError("broken"))


def whole() -> bool:
    return not any(finding.offenders for finding in audit())


def test_a_dry_run_says_what_it_would_do_and_does_nothing(ada: Person) -> None:
    jobs = [add(ada) for _ in range(3)]
    outcome = bulk.cancel(ada.row, NOTES, dry_run=True)
    assert (outcome.changed, outcome.jobs, outcome.remaining) == (3, {State.QUEUED: 3}, 0)
    assert {state(job_id) for job_id in jobs} == {"queued"}


def test_what_waits_is_cancelled_and_what_runs_is_asked_to_stop(ada: Person) -> None:
    running, waiting = add(ada), add(ada)
    claim(kind_named("test.note"))
    assert bulk.cancel(ada.row, NOTES, dry_run=False).changed == 2
    assert (state(running), state(waiting)) == ("running", "cancelled")
    assert db.session.get_one(Job, running).cancel_requested_at is not None
    assert whole()


def test_only_what_matches_and_is_ones_own_is_touched(ada: Person, eve: Person) -> None:
    others = [add(eve, tags=["old"]), add(ada, tags=["new"]), add(ada, kind="test.slow", tags=["old"])]
    mine = add(ada, tags=["old"])
    bulk.cancel(ada.row, Wanted(kinds=["test.note"], tags=["old"]), dry_run=False)
    assert state(mine) == "cancelled"
    assert {state(job_id) for job_id in others} == {"queued"}


def test_without_a_filter_nothing_is_done(ada: Person) -> None:
    add(ada)
    with pytest.raises(Malformed, match="at least one filter"):
        bulk.cancel(ada.row, Wanted(), dry_run=False)


def test_what_failed_runs_again_and_what_succeeded_only_when_it_is_named(ada: Person) -> None:
    failed, done = add(ada), add(ada)
    fail()
    attempt = claim(kind_named("test.note"))
    assert attempt is not None
    with holding(attempt):
        finish.succeeded(attempt, None)
    assert bulk.replay(ada.row, NOTES, dry_run=False).jobs == {State.FAILED: 1}
    assert (state(failed), state(done)) == ("queued", "succeeded")
    assert bulk.replay(ada.row, Wanted(states=[State.SUCCEEDED]), dry_run=False).changed == 1
    assert state(done) == "queued"
    assert whole()


def test_a_replay_counts_what_will_not_be_repeated(ada: Person) -> None:
    job_id = add(ada)
    fail()
    states = [EffectState.DONE, EffectState.REFUSED, EffectState.REFUSED]
    rows = [
        {"id": uuid7(), "job_id": job_id, "effect_key": str(each), "kind": "mail", "state": kept, "maybe": False}
        for each, kept in enumerate(states)
    ]
    with writing() as session:
        session.execute(insert(Effect), rows)
    outcome = bulk.replay(ada.row, NOTES, dry_run=True)
    assert (outcome.effects, outcome.partly) == ({EffectState.DONE: 1, EffectState.REFUSED: 2}, 1)


def test_more_than_one_call_takes_is_left_for_the_next(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    monkeypatch.setattr(bulk, "TOGETHER", 1)
    for _ in range(3):
        add(ada)
    counts = [(each.changed, each.remaining) for each in (bulk.cancel(ada.row, NOTES, dry_run=False) for _ in range(2))]
    assert counts == [(2, 1), (1, 0)]


def test_a_replay_that_is_too_late_changes_no_effect(ada: Person) -> None:
    """A job that runs again already is left as it is, its refused effects too."""
    job_id = add(ada)
    row = {"id": uuid7(), "job_id": job_id, "effect_key": "a", "kind": "mail", "state": "refused", "maybe": False}
    with writing() as session:
        session.execute(insert(Effect), [row])
        with pytest.raises(Conflict):
            control.replay(session, job_id, "ada")
    assert db.session.scalars(db.select(Effect.state)).one() == EffectState.REFUSED


def test_what_matches_and_stays_as_it_is_is_counted_by_the_reason(ada: Person) -> None:
    jobs = [add(ada) for _ in range(3)]
    fail()
    claim(kind_named("test.note"))
    assert bulk.cancel(ada.row, Wanted(ids=jobs), dry_run=True).left_out == {"over already": 1}
    assert bulk.replay(ada.row, Wanted(ids=jobs), dry_run=True).left_out == {"not over yet": 2}
    bulk.replay(ada.row, Wanted(ids=jobs), dry_run=False)
    assert [state(job_id) for job_id in jobs] == ["queued", "running", "queued"]


def test_what_succeeded_is_left_out_by_name(ada: Person) -> None:
    job_id = add(ada)
    attempt = claim(kind_named("test.note"))
    assert attempt is not None
    with holding(attempt):
        finish.succeeded(attempt, None)
    (reason,) = bulk.replay(ada.row, Wanted(ids=[job_id]), dry_run=True).left_out
    assert reason.startswith("succeeded; such jobs run again only when")
    assert bulk.replay(ada.row, Wanted(terms=read("state:succeeded,failed")), dry_run=True).jobs == {State.SUCCEEDED: 1}


def test_jobs_of_a_kind_that_is_gone_are_not_run_again(ada: Person, app: Flask) -> None:
    add(ada)
    bulk.cancel(ada.row, NOTES, dry_run=False)
    gone = app.extensions["kinds"].pop("test.note")
    outcome = bulk.replay(ada.row, NOTES, dry_run=False)
    app.extensions["kinds"]["test.note"] = gone
    assert (outcome.changed, outcome.left_out) == (0, {"of a kind that is no longer there": 1})


def test_jobs_that_came_after_the_dry_run_are_not_meant(ada: Person) -> None:
    seen = add(ada)
    newest = bulk.cancel(ada.row, NOTES, dry_run=True).newest
    later = add(ada)
    bulk.cancel(ada.row, Wanted(terms=read("kind:test.note"), until=newest), dry_run=False)
    assert (newest, state(seen), state(later)) == (seen, "cancelled", "queued")


def test_text_is_looked_for_in_so_many_jobs_and_older_ones_are_for_another_call(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many jobs somebody has, one call reads no more of them."""
    monkeypatch.setattr(job_lists, "LOOKED_THROUGH", 3)
    jobs = [add(ada, tags=["old"] if number in {1, 6} else []) for number in range(8)]
    wanted, found = Wanted(terms=read("old")), []
    while True:
        outcome = bulk.cancel(ada.row, wanted, dry_run=False)
        found.append(outcome.changed)
        if outcome.further is None:
            break
        wanted = replace(wanted, until=outcome.further)
    assert found == [1, 0, 1]
    assert [number for number, job_id in enumerate(jobs) if state(job_id) == "cancelled"] == [1, 6]


def test_of_what_is_left_out_only_so_many_are_looked_at_too(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [add(ada, tags=["old"]) for _ in range(5)]
    bulk.cancel(ada.row, Wanted(ids=ids), dry_run=False)
    monkeypatch.setattr(job_lists, "LOOKED_THROUGH", 3)
    assert bulk.cancel(ada.row, Wanted(terms=read("-tag:new")), dry_run=True).left_out == {"over already": 3}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_cancel_and_a_job_that_ends_at_the_same_time_wait_for_each_other_in_one_order(
    app: Flask, ada: Person
) -> None:
    """SQLite has one writer at a time. The job is locked first and its owner's count after it, as by `finish`."""
    ids = [add(ada) for _ in range(3)]
    lock = select(Job.id).where(Job.id == ids[1]).with_for_update()
    owner = ada.row
    with in_the_way(app, lambda session: session.execute(lock), lambda session: control.cancel(session, ids[1], "x")):
        outcome = bulk.cancel(owner, NOTES, dry_run=False)
    assert outcome.changed == 2
    assert {state(job_id) for job_id in ids} == {"cancelled"}
    assert whole()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_has_succeeded_since_it_was_looked_for_does_not_run_again(app: Flask, ada: Person) -> None:
    """Two clicks on "run again" are such a moment."""
    failed, done = add(ada), add(ada)
    for _ in range(2):
        fail()
    lock = select(Job.id).where(Job.id == done).with_for_update()
    succeeded = update(Job).where(Job.id == done).values(state=State.SUCCEEDED)
    owner = ada.row
    with in_the_way(app, lambda session: session.execute(lock), lambda session: session.execute(succeeded)):
        outcome = bulk.replay(owner, NOTES, dry_run=False)
    assert (outcome.changed, state(failed), state(done)) == (1, "queued", "succeeded")
