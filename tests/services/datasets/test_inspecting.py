"""The inspection: once it counts, and what overtakes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.queue.attempts import holding
from tests.services.datasets.conftest import Take, inspect, stored
from webapi.extensions import db
from webapi.models import Dataset, Job, User
from webapi.queue import kind_named
from webapi.queue.attempt import Attempt
from webapi.queue.claim import claim
from webapi.services import datasets
from webapi.services.datasets import inspecting
from webapi.services.datasets.ways import Ways


@pytest.fixture
def attempt(take: Take) -> Iterator[Attempt]:
    """The running inspection of a dataset `x`."""
    take("a;b\n1;2\n")
    found = claim(kind_named("dataset.inspect"))
    assert found is not None
    with holding(found):
        yield found


def the(owner: User) -> Dataset:
    ((row, _),) = datasets.of(owner.id)
    return row


def test_what_is_in_the_file_is_written_down_with_its_rows(take: Take, ground: Flask) -> None:
    row = take("a;b\n1;2,5\n;\n", read=True)
    assert (row.state, row.problem, row.rows) == ("ready", None, 2)
    assert row.columns == [["a", "integer"], ["b", "number"]]
    assert row.options["found"]["delimiter"] == ";"
    assert datasets.preview(row).rows == [[1, 2.5], [None, None]]
    assert row.table_sha256
    assert stored(ground, row.table_sha256)
    job = db.session.get_one(Job, row.job_id)
    assert (job.state, job.result) == ("succeeded", {"dataset": str(row.id), "outcome": "ready", "rows": 2})


def test_a_file_that_cannot_be_read_is_faulty_and_its_job_is_over(take: Take) -> None:
    row = take("a,b\n1\n", read=True)
    assert (row.state, row.problem) == ("faulty", "The file has 1 cells in line 2 and 2 in its first.")
    assert db.session.get_one(Job, row.job_id).state == "succeeded"


def test_an_older_inspection_does_not_overwrite_a_newer_correction(owner: User, attempt: Attempt) -> None:
    row = the(owner)
    datasets.correct(owner, row.id, Ways(header=False))
    told = inspecting.inspect(attempt, row.id)
    assert told["outcome"] == "overtaken"
    assert (the(owner).state, the(owner).options) == ("inspecting", {"given": {"header": False}})


def test_one_that_is_overtaken_while_it_reads_writes_nothing(owner: User, attempt: Attempt) -> None:
    row = the(owner)
    before = {"state": "ready", "columns": [["old", "text"]], "rows": 7, "table_sha256": "0" * 64}
    datasets.correct(owner, row.id, Ways(header=False))
    assert inspecting._write(attempt, row.id, before) is False
    assert (the(owner).state, the(owner).columns, the(owner).rows) == ("inspecting", [], None)


def test_a_dataset_that_is_deleted_meanwhile_ends_it_quietly(owner: User, attempt: Attempt) -> None:
    row_id = the(owner).id
    datasets.remove(owner, row_id)
    assert inspecting.inspect(attempt, row_id)["outcome"] == "overtaken"
    assert inspecting._write(attempt, row_id, {"state": "faulty"}) is False


def test_a_preview_is_no_longer_than_is_worth_keeping(take: Take) -> None:
    row = take(",".join(f"c{i}" for i in range(300)) + "\n" + (",".join(["x" * 90] * 300) + "\n") * 50, read=True)
    shown = datasets.preview(row).rows
    assert row.rows == 50
    assert 0 < len(shown) < 5


def test_scratch_is_gone_afterwards(take: Take, ground: Flask) -> None:
    row = take("a\n1\n", read=True)
    assert list((ground.extensions["files"].root / "staging").glob(f"{row.job_id}/*")) == []


def test_the_same_file_can_be_read_once_more(take: Take, owner: User) -> None:
    row = take("a\n1\n", read=True)
    first = row.job_id
    assert datasets.correct(owner, row.id, Ways()).job_id != first
    inspect()
    assert the(owner).state == "ready"
