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
