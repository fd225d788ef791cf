"""Why jobs failed: many failures, few causes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.transaction import writing
from webapi.services import causes
from webapi.services.overview import first_id

LONG_AGO = UUID(int=0)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Row 12 of 400 has no price.", "Row 7 of 31,000 has no price."),
        ("bob@example.com was refused.", "eve+x@mail.example.org was refused."),
        ("No answer from 10.0.0.1:25.", "No answer from 192.168.7.44:587."),
        ("No answer from [2001:db8::1].", "No answer from [fe80::42:1]."),
        ("https://a.example/x?y=1 answered 503.", "http://b.example:8080/z answered 502."),
        (
            "Upload 51ba4a47-9d85-4e33-8357-2837aebc37cd is gone.",
            "Upload 62961afe-fce3-4eaa-99db-52670a6d907d is gone.",
        ),
        ("Lost 9f86d081884c7d65 on the way.", "Lost 60303ae22b998861bce3 on the way."),
        ("It took 3.5 s.", "It took 12 s."),
    ],
)
def test_what_differs_from_job_to_job_makes_no_other_cause(one: str, another: str) -> None:
    assert causes.alike(one) == causes.alike(another)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("The server refused the sender.", "The server refused the recipient."),
        ("https://a.example/x answered 503.", "https://a.example/x did not answer."),
        ("No column called amount.", "No column called price."),
    ],
)
def test_other_words_are_another_cause(one: str, another: str) -> None:
    assert causes.alike(one) != causes.alike(another)


def test_a_sentence_keeps_its_words() -> None:
    assert (
        causes.alike("ada@example.com: 550 no such user, says mx1.example.org.")
        == "…: … no such user, says mx….example.org."
    )


def fail(owner: UUID, sentence: str | None, kind: str = "http.call", code: str = "failed", days: float = 0) -> UUID:
    """A job that failed, as the ledger would have left it."""
    at = datetime.now(UTC) - timedelta(days=days)
    job_id = UUID(int=first_id(at).int | uuid7().int & (1 << 80) - 1)
    with writing() as session:
        session.add(
            Job(
                id=job_id, owner_id=owner, kind=kind, payload={}, queue="default", state=State.FAILED, attempt_budget=1,
                run_at=at, created_at=at, finished_at=at, error_code=code, error_public=sentence,
            )
        )  # fmt: skip
    return job_id


@pytest.fixture
def _in_context(context: None) -> Iterator[None]:
    yield
    db.session.remove()


@pytest.mark.usefixtures("_in_context")
def test_failures_are_grouped_by_kind_code_and_sentence_the_most_first(ada: Person, eve: Person) -> None:
    fail(ada.id, "The file is empty.", kind="data.process")
    for number in range(4):
        newest = fail(ada.id, f"Port {number} did not answer.")
    fail(ada.id, "Port 1 did not answer.", code="timeout")
    fail(eve.id, "Port 1 did not answer.")
    found = causes.failures(ada.row, LONG_AGO)
    assert [(each.kind, each.code, each.jobs) for each in found.causes] == [
        ("http.call", "failed", 4),
        ("http.call", "timeout", 1),
        ("data.process", "failed", 1),
    ]
    assert (found.causes[0].newest, found.causes[0].sentence) == (newest, "Port 3 did not answer.")
    assert (found.jobs, found.more) == (6, False)


@pytest.mark.usefixtures("_in_context")
def test_old_failures_and_parts_of_other_jobs_are_left_out(ada: Person) -> None:
    fail(ada.id, "Too long ago.", days=8)
    fail(ada.id, "A part of a mailing.", kind="email.part")
    fail(ada.id, None)
    found = causes.failures(ada.row, first_id(datetime.now(UTC) - timedelta(days=7)))
    assert [each.sentence for each in found.causes] == ["It failed without a word."]


@pytest.mark.usefixtures("_in_context")
def test_only_the_newest_failures_are_read_and_it_says_so(ada: Person) -> None:
    for _ in range(4):
        fail(ada.id, "Again.")
    found = causes.failures(ada.row, LONG_AGO, limit=3)
    assert ([each.jobs for each in found.causes], found.jobs, found.more) == ([3], 3, True)
