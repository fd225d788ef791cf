"""What a worker that hears nothing should have heard."""

from __future__ import annotations

from tests.queue.acting import Errands
from tests.queue.rows import accept, change
from webapi.models import User
from webapi.models.columns import after
from webapi.queue import kind_named
from webapi.queue.watchdog import IN_VAIN, rung_in_vain


def test_only_a_hint_that_was_sent_since_something_was_heard_was_sent_in_vain(owner: User) -> None:
    """Another job of the kind may have gone by an earlier one: then the worker hears well, and the job has to wait."""
    job_id = accept("errand.hold", Errands())
    kind = kind_named("errand.hold")
    change(job_id, publish_count=IN_VAIN, published_at=after(-30))
    assert not rung_in_vain([kind.queue], silent=20)
    assert rung_in_vain([kind.queue], silent=40)
    change(job_id, publish_count=IN_VAIN - 1)
    assert not rung_in_vain([kind.queue], silent=40)
    change(job_id, publish_count=IN_VAIN, payload_version=kind.version + 1)
    assert not rung_in_vain([kind.queue], silent=40), "this version cannot run it"
