"""Many jobs in one request, behind every door."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from pydantic import BaseModel

from tests.conftest import Person
from webapi.errors import Forbidden, Invalid, QuotaReached, WebapiError
from webapi.models.transaction import writing
from webapi.queue import Once, kind_named
from webapi.services import batches
from webapi.tasks.data_process import Data

ONCE = Once("batch", "the same key", "the same request")
GOOD, WRONG = Data(data=[1]), Invalid("This is not right.")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(MAX_OPEN_JOBS=3)


def given(count: int, *wrong: int) -> dict[int, BaseModel | WebapiError]:
    return {place: WRONG if place in wrong else GOOD for place in range(count)}


def test_what_is_refused_is_said_again_to_whoever_asks_again(app: Flask, ada: Person) -> None:
    with app.app_context():
        kind = kind_named("data.process")
        first = batches.submit(ada.row, kind, given(3, 1), partial=True, once=ONCE, tags=[])
        second = batches.submit(ada.row, kind, given(3), partial=True, once=ONCE, tags=[])
        assert (list(first.accepted), list(first.refused), first.replayed) == ([0, 2], [1], False)
        assert (second.accepted, second.replayed) == (first.accepted, True)
        assert second.refused[1].message == batches.EARLIER


def test_the_quota_is_for_the_whole_batch(app: Flask, ada: Person) -> None:
    with app.app_context():
        kind = kind_named("data.process")
        with pytest.raises(QuotaReached):
            batches.submit(ada.row, kind, given(4), tags=[])
        assert len(batches.submit(ada.row, kind, given(3), tags=[]).accepted) == 3


def test_without_partial_one_keeps_all_out(app: Flask, ada: Person) -> None:
    with app.app_context(), pytest.raises(Invalid, match="1 of the items"):
        batches.submit(ada.row, kind_named("data.process"), given(3, 2), tags=[])


def test_somebody_whose_address_is_not_confirmed_submits_none(app: Flask, ada: Person) -> None:
    with app.app_context():
        with writing():
            ada.row.verified_at = None
        with pytest.raises(Forbidden):
            batches.submit(ada.row, kind_named("data.process"), given(1), tags=[])
