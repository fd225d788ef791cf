"""Datasets as their owners see them, and as their statements read them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from flask import current_app
from uuid_utils.compat import uuid7

from tests.queue.rows import accept, add_owner, change, job
from tests.services.datasets.conftest import Take, inspect
from webapi.errors import Permanent, Transient
from webapi.extensions import db
from webapi.models import Job, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import control, kind_named
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services import datasets
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits
from webapi.services.reports import library
from webapi.services.reports.definition import Definition
from webapi.tasks.data_process import Data
from webapi.tasks.report_build import ReportRequest

HERE = Path()
EVE = UUID("01900000-0000-7000-8000-0000000000e5")


def test_a_statement_reads_what_is_ready(take: Take, owner: User, tmp_path: Path) -> None:
    row = take("a;b\n1;2,5\n2;3,5\n", read=True)
    sources = datasets.sources(owner.id, [("t", row.id), ("u", row.id)], tmp_path)
    assert {name: each.format for name, each in sources.items()} == {"t": "parquet", "u": "parquet"}
    with query("SELECT sum(t.a), max(u.b) FROM t, u", sources, {}, limits=Limits(), folder=tmp_path) as found:
        assert list(found.rows) == [(6, 3.5)]


def test_a_job_goes_on_with_what_it_reads_when_the_dataset_is_deleted(take: Take, owner: User, tmp_path: Path) -> None:
    row = take("a\n1\n2\n", read=True)
    sources = datasets.sources(owner.id, [("t", row.id)], tmp_path)
    sha256 = row.table_sha256
    datasets.remove(owner, row.id)
    current_app.extensions["files"].path(sha256).unlink()  # as housekeeping does a day later
    with query("SELECT sum(a) FROM t", sources, {}, limits=Limits(), folder=tmp_path) as found:
        assert list(found.rows) == [(3,)]


def test_what_is_not_ready_is_told(take: Take, owner: User) -> None:
    row = take("\n")
    pairs = [("t", row.id)]
    with pytest.raises(Transient, match="The dataset 'x' is still being inspected"):
        datasets.sources(owner.id, pairs, HERE)
    inspect()
    with pytest.raises(Permanent, match="The dataset 'x' cannot be read: The file is empty"):
        datasets.sources(owner.id, pairs, HERE)
    datasets.remove(owner, row.id)
    with pytest.raises(Permanent, match="The dataset 't' is deleted"):
        datasets.sources(owner.id, pairs, HERE)


@pytest.mark.parametrize("kind", ["data.process", "report.build"])
def test_a_job_waits_for_an_inspection_and_is_charged_no_attempt(take: Take, owner: User, kind: str) -> None:
    take("a\n1\n", "sales")
    library.create(owner, "sold", Definition(title="Sold", sql="FROM sales"))
    job_id = accept(kind, Data(dataset="sales") if kind == "data.process" else ReportRequest(report="sold"))
    for _ in range(7):  # more often than it has attempts
        work(kind_named(kind))
        change(job_id, run_at=after(0))
        wake_due()
    waiting = job(job_id)
    assert (waiting.state, waiting.attempt, waiting.attempt_budget - waiting.attempt) == ("queued", 7, 5)
    inspect()
    work(kind_named(kind))
    assert (job(job_id).error_public, job(job_id).state) == (None, "succeeded")


def test_anothers_is_as_good_as_deleted(take: Take) -> None:
    row = take("a\n1\n", read=True)
    eve = add_owner(EVE, "eve@example.com")
    with pytest.raises(Permanent, match="is deleted"):
        datasets.sources(eve.id, [("t", row.id)], HERE)
    assert datasets.of(eve.id) == []


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
        datasets.sources(owner.id, [("t", row.id)], HERE)


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
        datasets.sources(owner.id, [("t", uuid7())], HERE)
    assert datasets.sources(owner.id, [], HERE) == {}
