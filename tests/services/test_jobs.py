"""Jobs as their owners see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Person
from webapi.errors import Forbidden, NotFound
from webapi.models import Job
from webapi.models.transaction import writing
from webapi.queue import kind_named
from webapi.services import jobs
from webapi.tasks.data_process import Data

pytestmark = pytest.mark.usefixtures("context")
DATA = Data(data=[1])


def submit(person: Person, **options: Any) -> Job:
    return jobs.submit(person.row, kind_named("data.process"), DATA, **options)


def test_a_job_of_somebody_else_is_not_there(ada: Person, eve: Person) -> None:
    job_id = submit(ada).id
    for look in (jobs.find, jobs.cancel, jobs.replay):
        with pytest.raises(NotFound):
            look(eve.row, job_id)


def test_nothing_is_accepted_before_the_address_is_confirmed(ada: Person) -> None:
    with writing():
        ada.row.verified_at = None
    with pytest.raises(Forbidden):
        submit(ada)


def test_a_kind_that_is_not_public_has_no_door() -> None:
    with pytest.raises(NotFound):
        jobs.public_kind("email.welcome")
