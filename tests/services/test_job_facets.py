"""What somebody's newest jobs are like."""

from __future__ import annotations

from tests.queue.acting import Errands
from tests.queue.rows import accept, change
from webapi.models import State, User
from webapi.models.columns import now
from webapi.services import job_facets


def test_what_was_used_most_lately_comes_first(owner: User) -> None:
    for tags in (["a"], ["a", "b"], []):
        accept("errand.hold", Errands(), tags=tags)
    accept("errand.resend", Errands())
    found = job_facets.recent(owner)
    assert (found.kinds, found.tags) == (["errand.hold", "errand.resend"], ["a", "b"])


def test_jobs_that_failed_for_one_reason_are_one_cause(owner: User) -> None:
    ids = [accept("errand.hold", Errands()) for _ in range(4)]
    for job_id, state, code in zip(ids, ["failed", "failed", "uncertain", "failed"], ["a", "a", "b", "c"], strict=True):
        change(job_id, state=State(state), error_code=code, error_public=f"Because of {code}.", finished_at=now())
    causes = job_facets.causes(owner)
    assert [(each.state, each.code, each.count) for each in causes] == [
        ("uncertain", "b", 1), ("failed", "a", 2), ("failed", "c", 1)
    ]  # fmt: skip
    assert (causes[1].newest, causes[1].sentence) == (ids[1], "Because of a.")


def test_others_jobs_and_jobs_that_succeeded_are_no_cause(owner: User) -> None:
    job_id = accept("errand.hold", Errands())
    change(job_id, state=State.SUCCEEDED, finished_at=now())
    assert job_facets.causes(owner) == []
