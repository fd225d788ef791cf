"""What people do to datasets."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.queue.rows import OWNER, add_owner
from tests.services.datasets.conftest import Take, inspect, report, stored
from webapi.errors import Conflict, Forbidden, Invalid, NotFound
from webapi.extensions import db
from webapi.models import Dataset, Job, User
from webapi.models.transaction import writing
from webapi.services import datasets
from webapi.services.datasets.ways import Ways

EVE = UUID("01900000-0000-7000-8000-0000000000e5")


def test_a_file_is_kept_under_a_name_and_waits_for_its_inspection(take: Take, ground: Flask) -> None:
    row = take("a,b\n1,2\n", file_name="../Sales March.csv")
    assert (row.name, row.file_name, row.format, row.size) == ("sales_march", "Sales March.csv", "csv", 8)
    assert (row.state, row.rows, row.table_sha256, row.columns) == ("inspecting", None, None, [])
    assert stored(ground, row.sha256)
    job = db.session.get_one(Job, row.job_id)
    assert (job.kind, job.state, job.payload) == ("dataset.inspect", "queued", {"dataset_id": str(row.id)})


def test_a_name_is_ones_own(take: Take, owner: User) -> None:
    take("a\n1\n", "sales")
    with pytest.raises(Conflict, match="You have a dataset called 'sales' already"):
        take("a\n1\n", "sales")
    eve = add_owner(EVE, "eve@example.com")
    assert datasets.create(eve, "sales", "x.csv", io.BytesIO(b"a\n1\n")).name == "sales"
    assert [row.name for row, _ in datasets.of(owner.id)] == ["sales"]


def test_what_is_refused_leaves_no_dataset_and_no_job(take: Take) -> None:
    for content, name in (("a\n", "jobs"), ("a\n", "A B"), ("%PDF-1.7", "fine"), ("", "fine")):
        with pytest.raises(Invalid):
            take(content, name)
    assert db.session.scalar(select(func.count()).select_from(Dataset)) == 0
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_nobody_hands_in_before_their_address_is_confirmed(take: Take, owner: User) -> None:
    with writing():
        owner.verified_at = None
    with pytest.raises(Forbidden):
        take("a\n1\n")
    assert db.session.scalar(select(func.count()).select_from(Dataset)) == 0


def test_a_correction_reads_the_file_again(take: Take, owner: User) -> None:
    row = take("a,b\n01/02/2026,007\n", read=True)
    assert row.columns == [["a", "date"], ["b", "text"]]
    datasets.correct(owner, row.id, Ways(date_format="%d/%m/%Y", types={"b": "integer"}))
    again = datasets.find(owner.id, row.id)
    assert (again.state, again.columns, again.rows, again.table_sha256) == ("inspecting", [], None, None)
    inspect()
    done = datasets.find(owner.id, row.id)
    assert (done.state, done.columns) == ("ready", [["a", "date"], ["b", "integer"]])
    assert datasets.preview(done).rows == [["2026-02-01", 7]]
    assert done.options["given"] == {"date_format": "%d/%m/%Y", "types": {"b": "integer"}}


def test_a_correction_that_makes_no_sense_changes_nothing(take: Take, owner: User) -> None:
    row = take('[{"a": 1}]', file_name="x.json", read=True)
    with pytest.raises(Invalid) as caught:
        datasets.correct(owner, row.id, Ways(delimiter=";"))
    assert caught.value.faults[0].message == "A file in JSON has no delimiter."
    assert datasets.find(owner.id, row.id).state == "ready"


def test_another_file_takes_the_place_of_the_first_and_is_read_as_was_said(take: Take, owner: User) -> None:
    row = take("a;b\n1;2\n", read=True)
    datasets.correct(owner, row.id, Ways(header=False))
    inspect()
    datasets.replace(owner, row.id, "april.csv", io.BytesIO(b"a;b\n3;4\n5;6\n"))
    inspect()
    done = datasets.find(owner.id, row.id)
    assert (done.name, done.file_name, done.rows, done.options["given"]) == ("x", "april.csv", 3, {"header": False})
    datasets.replace(owner, row.id, "may.json", io.BytesIO(b'[{"a": 1}]'))
    inspect()
    assert datasets.find(owner.id, row.id).options["given"] == {}


def test_a_dataset_can_be_called_otherwise(take: Take, owner: User) -> None:
    row, other = take("a\n1\n", "first"), take("a\n1\n", "second")
    assert datasets.rename(owner, row.id, "third").name == "third"
    with pytest.raises(Conflict):
        datasets.rename(owner, other.id, "third")
    with pytest.raises(Invalid):
        datasets.rename(owner, other.id, "data")


def test_one_that_reports_read_is_deleted_only_when_that_is_meant(take: Take, owner: User) -> None:
    row = take("a\n1\n")
    row_id = row.id
    used = report(owner, "Monthly", [], [row.id])
    report(owner, "Not any more", [row.id], [])
    report(owner, "Gone", [row.id], deleted=True)
    assert [each.name for each in datasets.dependents(row)] == ["Monthly"]
    with pytest.raises(Conflict) as caught:
        datasets.remove(owner, row_id)
    assert caught.value.details == {"dependents": [{"report": str(used), "name": "Monthly"}]}
    assert "'Monthly'" in caught.value.message
    datasets.remove(owner, row_id, dependents="keep")
    with pytest.raises(NotFound):
        datasets.find(owner.id, row_id)


def test_nobody_changes_anothers(take: Take) -> None:
    row = take("a\n1\n")
    eve = add_owner(EVE, "eve@example.com")
    for act in (
        lambda: datasets.correct(eve, row.id, Ways()),
        lambda: datasets.rename(eve, row.id, "mine"),
        lambda: datasets.replace(eve, row.id, "x.csv", io.BytesIO(b"a\n")),
        lambda: datasets.remove(eve, row.id, dependents="keep"),
        lambda: datasets.find(eve.id, row.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert datasets.find(OWNER, row.id).name == "x"
