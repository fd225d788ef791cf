"""The owner's jobs and receipts as tables: all of them, nobody else's, and without the parts of other jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.conftest import Person
from tests.services.reports.test_building import add_jobs
from webapi.models import Job
from webapi.models.transaction import writing
from webapi.queue import kind_named, submit
from webapi.queue.run import work
from webapi.services.queries.run import query
from webapi.services.queries.sources import Limits
from webapi.services.reports import own
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.usefixtures("context")


def rows(owner: Person, name: str, folder: Path) -> list[dict[str, Any]]:
    source = own.export(owner.id, name, folder, lambda: None)
    with query("FROM rows", {"rows": source}, {}, limits=Limits(), folder=folder) as found:
        names = [name for name, _ in found.columns]
        return [dict(zip(names, row, strict=True)) for row in found.rows]


def test_jobs_are_all_there_over_many_chunks(ada: Person, eve: Person, tmp_path: Path) -> None:
    add_jobs(ada.id, 2 * own.CHUNK + 1)
    add_jobs(eve.id, 2)
    found = rows(ada, "jobs", tmp_path)
    assert len({row["id"] for row in found}) == 2 * own.CHUNK + 1
    assert {(row["kind"], row["state"], row["attempts"]) for row in found} == {("test.old", "succeeded", 2)}
    assert all(row["seconds"] >= 0 and row["created_at"].tzinfo for row in found)


def test_parts_of_other_jobs_are_left_out(ada: Person, tmp_path: Path) -> None:
    add_jobs(ada.id, 2)
    with writing() as session:
        session.execute(update(Job).values(kind="email.part"))
    add_jobs(ada.id, 1)
    assert [row["kind"] for row in rows(ada, "jobs", tmp_path)] == ["test.old"]


def test_receipts_say_what_was_done_to_whom(ada: Person, tmp_path: Path) -> None:
    mail = Email(to=["delivered@simulator.webapi", "refused@simulator.webapi"], subject="s", text="t")
    submit("email.send", mail, owner_id=ada.id)
    work(kind_named("email.send"))
    found = {row["target"]: row for row in rows(ada, "receipts", tmp_path)}
    assert {address: (row["kind"], row["act"], row["state"], row["tries"]) for address, row in found.items()} == {
        "delivered@simulator.webapi": ("email.send", "mail", "done", 1),
        "refused@simulator.webapi": ("email.send", "mail", "refused", 0),
    }
    assert all(row["settled_at"] for row in found.values())


def test_whoever_has_nothing_has_empty_tables(eve: Person, tmp_path: Path) -> None:
    assert [rows(eve, name, tmp_path) for name in own.TABLES] == [[], []]


def test_the_newest_are_asked_for_alone(ada: Person, tmp_path: Path) -> None:
    add_jobs(ada.id, own.CHUNK + 5)
    all_of_them = [row["id"] for row in rows(ada, "jobs", tmp_path)]
    for count in (0, 3, own.CHUNK, own.CHUNK + 2):
        own.export(ada.id, "jobs", tmp_path, lambda: None, newest=count)
        lines = (tmp_path / "jobs.ndjson").read_text().splitlines()
        assert [json.loads(line)["id"] for line in lines] == all_of_them[:count]


class Enough(Exception):
    """What somebody who waits may raise."""


def test_an_export_can_be_left(ada: Person, tmp_path: Path) -> None:
    def tick() -> None:
        raise Enough

    add_jobs(ada.id, 1)
    with pytest.raises(Enough):
        own.export(ada.id, "jobs", tmp_path, tick)
