"""Finishing in sets: one transaction, one fence for each row, and the same few statements for any number."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from tests.queue.acting import Step
from tests.queue.rows import OWNER, accept, add_owner, change, job, states
from tests.services.system.crowd import statements
from webapi.extensions import db
from webapi.models import Effect, EffectState, State, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.queue.attempt import Attempt
from webapi.queue.audit import audit
from webapi.queue.claim import claim_set
from webapi.queue.together import Ended, succeed

pytestmark = pytest.mark.usefixtures("owner")
KIND = "quick.step"
RESULTS: list[Any] = [None, {"a": 1.0, "z": [1, 2.50], "b": 'é " \\ 😀 \n {},'}, "text", [], 7, 0.5, True, {"": None}]


def claimed(count: int, owner_id: UUID = OWNER) -> list[Attempt]:
    for number in range(count):
        accept(KIND, Step(name=str(number)), owner_id=owner_id)
    return claim_set(kind_named(KIND), count)


def written(attempts: list[Attempt], results: list[Any] | None = None) -> set[UUID]:
    with writing() as session:
        return succeed(session, [Ended(*pair) for pair in zip(attempts, results or attempts, strict=True)])


def sound() -> bool:
    return not [finding.name for finding in audit(files=False) if finding.offenders]


def test_each_has_its_own_result_to_the_letter_and_its_own_event() -> None:
    attempts = claimed(len(RESULTS))
    assert written(attempts, RESULTS) == {each.job_id for each in attempts}
    for attempt, result in zip(attempts, RESULTS, strict=True):
        row = job(attempt.job_id)
        assert (row.state, row.result, row.progress, row.lease_until) == ("succeeded", result, 100, None)
        assert states(attempt.job_id) == ["queued", "running", "succeeded"]
    assert sound()


def test_one_whose_fence_no_longer_holds_is_left_out_alone() -> None:
    replaced, cancelled, *others = attempts = claimed(4)
    change(replaced.job_id, attempt=2)
    change(cancelled.job_id, state=State.QUEUED, lease_until=None)
    assert written(attempts, [1, 2, 3, 4]) == {each.job_id for each in others}
    assert (job(replaced.job_id).state, job(cancelled.job_id).state) == ("running", "queued")


def test_one_with_effects_is_left_out_for_they_have_the_last_word() -> None:
    odd, plain = attempts = claimed(2)
    effect = {"id": uuid7(), "job_id": odd.job_id, "effect_key": "one", "kind": "mail", "state": EffectState.PENDING}
    with writing() as session:
        session.execute(insert(Effect), [effect])
    assert written(attempts, [1, 2]) == {plain.job_id}


def test_each_owners_open_jobs_are_counted() -> None:
    add_owner(other := uuid7(), "eve@example.com")
    attempts = [*claimed(3), *claimed(2, other)]
    assert written(attempts[1:], [0] * 4) == {each.job_id for each in attempts[1:]}
    counts = Counter({row.id: row.open_jobs for row in db.session.execute(select(User.id, User.open_jobs))})
    assert (counts[OWNER], counts[other]) == (1, 0)
    assert sound()


def test_the_end_of_one_with_a_callback_is_told() -> None:
    told = accept(KIND, Step(name="x"), callback_url="https://example.com/told")
    accept(KIND, Step(name="y"))
    written(claim_set(kind_named(KIND), 8), [1, 2])
    assert [each.job_id for each in claim_set(kind_named("http.call"), 1)] != []
    assert job(told).state == "succeeded"
    assert sound()


def test_any_number_is_written_by_the_same_few_statements() -> None:
    texts = []
    for count in (2, 7):
        attempts, asked = claimed(count), list[tuple[str, Any]]()
        with statements(asked):
            written(attempts, [0] * count)
        texts.append([text for text, _ in asked if not text.startswith("BEGIN")])
    assert texts[0] == texts[1]
    assert len(texts[0]) == 3


def test_a_lease_that_was_renewed_meanwhile_does_not_matter() -> None:
    attempts = claimed(2)
    change(attempts[0].job_id, lease_until=after(60))
    assert len(written(attempts, [1, 2])) == 2
