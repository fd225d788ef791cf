"""Lists of jobs: each once, newest first, and only those that were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Person
from webapi.errors import Malformed
from webapi.models import Job, State
from webapi.queue import kind_named
from webapi.services import job_lists, jobs
from webapi.services.job_lists import Wanted
from webapi.services.job_queries import read
from webapi.tasks.data_process import Data

pytestmark = pytest.mark.usefixtures("context")
DATA = Data(data=[1])


def submit(person: Person, **options: Any) -> Job:
    return jobs.submit(person.row, kind_named("data.process"), DATA, **options)


def pages(person: Person, wanted: Wanted, limit: int) -> Iterator[list[Job]]:
    cursor = None
    while True:
        page = job_lists.page(person.row, wanted, cursor=cursor, limit=limit)
        yield page.jobs
        if page.next_cursor is None:
            return
        cursor = page.next_cursor


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_the_pages_hold_each_job_once_newest_first(ada: Person, eve: Person, limit: int) -> None:
    mine = [submit(ada).id for _ in range(7)]
    submit(eve)
    assert [job.id for page in pages(ada, Wanted(), limit) for job in page] == mine[::-1]


def test_jobs_are_found_by_state_kind_and_tag(ada: Person) -> None:
    tagged = submit(ada, tags=["invoice", "urgent"]).id
    later = submit(ada, delay=60, tags=["invoice"]).id

    def find(**wanted: Any) -> list[UUID]:
        return [job.id for page in pages(ada, Wanted(**wanted), 50) for job in page]

    assert find(tags=["urgent"]) == [tagged]
    assert find(tags=["invoice"]) == [later, tagged]
    assert find(tags=["invoi"]) == []
    assert find(states=[State.SCHEDULED]) == [later]
    assert find(kinds=["email.send"]) == []


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ä", "=" * 30])
def test_a_made_up_cursor_is_refused(ada: Person, cursor: str) -> None:
    with pytest.raises(Malformed):
        job_lists.page(ada.row, Wanted(), cursor=cursor)


def test_text_is_looked_for_in_so_many_jobs_and_then_further_back(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_lists, "LOOKED_THROUGH", 3)
    ids = [submit(ada, tags=["old"] if number == 1 else []).id for number in range(7)]
    wanted, cursor, seen = Wanted(terms=read("old")), None, []
    while True:
        page = job_lists.page(ada.row, wanted, cursor=cursor)
        seen.append([job.id for job in page.jobs])
        cursor = page.next_cursor
        assert page.unread == (cursor is not None)
        if cursor is None:
            break
    assert seen == [[], [ids[1]], []]


@pytest.mark.parametrize("limit", [1, 3])
def test_pages_of_a_text_hold_each_job_once(ada: Person, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(job_lists, "LOOKED_THROUGH", 4)
    mine = [submit(ada, tags=["word"] if number % 3 else []) for number in range(9)]
    found = [job.id for page in pages(ada, Wanted(terms=read("word")), limit) for job in page]
    assert found == [job.id for job in reversed(mine) if job.tags]


def test_states_are_counted_up_to_a_bound(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_lists, "MOST_COUNTED", 2)
    for _ in range(4):
        submit(ada)
    submit(ada, delay=60)
    assert job_lists.counts(ada.row) == {State.QUEUED: 3, State.SCHEDULED: 1}


def test_the_states_that_somebody_named_are_those_that_all_names_allow() -> None:
    assert Wanted(kinds=["x"]).named_states is None
    assert Wanted(terms=read("-state:failed")).named_states is None
    assert Wanted(states=[State.FAILED], terms=read("state:failed,expired")).named_states == [State.FAILED]
    assert Wanted(states=[State.FAILED], terms=read("state:expired")).named_states == []
