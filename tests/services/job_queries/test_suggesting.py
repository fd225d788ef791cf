"""What could come next, and terms that are exchanged."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.queue.acting import Errands
from tests.queue.rows import accept, change
from webapi.models import State, User
from webapi.models.columns import now
from webapi.services.job_queries import read
from webapi.services.job_queries.suggesting import exchanged, suggest


def queries(owner: User, text: str) -> list[str]:
    return [each.query for each in suggest(owner, text)]


@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)
def test_names_come_first_and_values_after_the_colon(owner: User) -> None:
    job_id = accept("errand.hold", Errands(), tags=["invoice", "in the morning"])
    change(job_id, state=State.FAILED, error_code="refused", finished_at=now())
    assert queries(owner, "kind:x s") == ["kind:x state:", "kind:x schedule:"]
    assert queries(owner, "-st") == ["-state:"]
    assert len(queries(owner, "")) == 10
    assert queries(owner, "state:f") == ["state:failed"]
    assert queries(owner, "state:failed,fa") == []
    assert queries(owner, "state:failed,un") == ["state:failed,uncertain"]
    assert "kind:email.send" in queries(owner, "kind:Email.s")
    assert queries(owner, "tag:in") == ["tag:invoice", 'tag:"in the morning"']
    assert queries(owner, "error:") == ["error:refused"]
    assert queries(owner, "finished>=t") == ["finished>=today"]
    assert queries(owner, "nothing:x") == []


@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.text(alphabet='state:kindg",-> \\')))
def test_any_text_has_suggestions_or_none(owner: User, text: str) -> None:
    assert all(each.help for each in suggest(owner, text))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "state:failed"),
        ("tag:a", "tag:a state:failed"),
        ("state:running tag:a -state:expired", "tag:a -state:expired state:failed"),
        ('"some text"', '"some text" state:failed'),
        ('"broken', "state:failed"),
    ],
)
@pytest.mark.usefixtures("declared")
def test_a_link_exchanges_one_term_and_keeps_the_others(text: str, after: str) -> None:
    assert exchanged(text, "state", ["failed"]) == after
    assert read(after)
