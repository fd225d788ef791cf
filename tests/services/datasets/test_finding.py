"""Datasets as their owners see them, and as their statements read them."""

from __future__ import annotations

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from tests.queue.rows import add_owner
from tests.services.datasets.conftest import Take, inspect
from webapi.errors import Permanent, Transient
from webapi.extensions import db
from webapi.models import Job, User
from webapi.models.transaction import writing
from webapi.queue import control
from webapi.services import datasets
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits

EVE = UUID("01900000-0000-7000-8000-0000000000e5")


def test_a_statement_reads_what_is_ready(take: Take, owner: User, tmp_path_factory: pytest.TempPathFactory) -> None:
    row = take("a;b\n1;2,5\n2;3,5\n", read=True)
    sources = datasets.sources(owner.id, [("t", row.id), ("u", row.id)])
    assert {name: each.format for name, each in sources.items()} == {"t": "parquet", "u": "parquet"}
    folder = tmp_path_factory.mktemp("scratch")
    with query("SELECT sum(t.a), max(u.b) FROM t, u", sources, {}, limits=Limits(), folder=folder) as found:
        assert list(found.rows) == [(6, 3.5)]


def test_what_is_not_ready_is_told(take: Take, owner: User) -> None:
    row = take("\n")
    pairs = [("t", row.id)]
    with pytest.raises(Transient, match="The dataset 'x' is still being inspected"):
        datasets.sources(owner.id, pairs)
    inspect()
    with pytest.raises(Permanent, match="The dataset 'x' cannot be read: The file is empty"):
        datasets.sources(owner.id, pairs)
    datasets.remove(owner, row.id)
    with pytest.raises(Permanent, match="The dataset 't' is deleted"):
        datasets.sources(owner.id, pairs)


def test_anothers_is_as_good_as_deleted(take: Take) -> None:
    row = take("a\n1\n", read=True)
    eve = add_owner(EVE, "eve@example.com")
    with pytest.raises(Permanent, match="is deleted"):
        datasets.sources(eve.id, [("t", row.id)])
    assert datasets.by_name(eve.id, ["x"]) == {}


def test_names_are_found_and_those_of_none_left_out(take: Take, owner: User) -> None:
    row = take("a\n1\n", "sales")
    take("a\n1\n", "other")
    assert {name: each.id for name, each in datasets.by_name(owner.id, ["sales", "nobody"]).items()} == {
        "sales": row.id
    }


def test_an_inspection_that_was_cancelled_is_no_longer_awaited(take: Take, owner: User) -> None:
    row = take("a\n1\n")
    assert datasets.standing(row).state == "inspecting"
    assert row.job_id is not None
    with writing() as session:
        control.cancel(session, row.job_id, "somebody")
    (_, listed), shown = datasets.of(owner.id)[0], datasets.standing(datasets.find(owner.id, row.id))
    assert listed == shown
    assert shown.state == "faulty"
    assert shown.problem
    with pytest.raises(Permanent, match="cannot be read"):
        datasets.sources(owner.id, [("t", row.id)])


def test_an_inspection_whose_job_is_forgotten_is_no_longer_awaited(take: Take, owner: User) -> None:
    row = take("a\n1\n")
    with writing() as session:
        session.delete(session.get_one(Job, row.job_id))
    db.session.rollback()
    found = datasets.find(owner.id, row.id)
    assert found.job_id is None
    assert datasets.standing(found).problem == "The inspection was ended before it was over."


def test_an_id_of_nothing_was_deleted(owner: User) -> None:
    with pytest.raises(Permanent, match="The dataset 't' is deleted"):
        datasets.sources(owner.id, [("t", uuid7())])
    assert datasets.sources(owner.id, []) == {}
