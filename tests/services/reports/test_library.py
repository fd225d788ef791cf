"""Definitions are kept in versions, and refused when they cannot work."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import insert

from tests.conftest import Person
from webapi.errors import Conflict, Invalid, NotFound
from webapi.models import Dataset
from webapi.models.transaction import writing
from webapi.services.reports import library
from webapi.services.reports.definition import Definition

pytestmark = pytest.mark.usefixtures("context")

PERIOD = {"name": "period", "type": "period", "label": "Period", "default": "last_month"}
SQL = "SELECT kind, count(*) AS n FROM jobs WHERE created_at >= $period_from GROUP BY kind"


def definition(**changes: Any) -> Definition:
    return Definition.model_validate({"title": "By kind", "sql": SQL, "parameters": [PERIOD], **changes})


def add_dataset(owner: Person, name: str) -> str:
    dataset_id = uuid4()
    values = {"file_name": "a.csv", "format": "csv", "sha256": "0" * 64, "size": 1}
    with writing() as session:
        session.execute(insert(Dataset).values(id=dataset_id, owner_id=owner.id, name=name, **values))
    return str(dataset_id)


def faults(caught: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.message) for fault in caught.value.faults]


def test_a_report_is_kept_with_every_version(ada: Person) -> None:
    report = library.create(ada.row, "by-kind", definition())
    library.change(ada.row, report.id, definition(title="Changed"), seen=1)
    assert [library.definition_of(row).title for row in library.versions(report)] == ["Changed", "By kind"]
    assert library.definition_of(library.referred(ada.id, "by-kind@1")) == definition()
    assert library.referred(ada.id, "by-kind").version == 2


def test_whoever_saw_an_older_version_does_not_overwrite_the_newer(ada: Person) -> None:
    report = library.create(ada.row, "by-kind", definition())
    library.change(ada.row, report.id, definition(title="First"), seen=1)
    with pytest.raises(Conflict, match="Somebody changed this report meanwhile"):
        library.change(ada.row, report.id, definition(title="Second"), seen=1)


def test_a_name_is_taken_once_and_never_means_something_else_later(ada: Person, eve: Person) -> None:
    report = library.create(ada.row, "by-kind", definition())
    library.create(eve.row, "by-kind", definition())
    with pytest.raises(Conflict, match="already"):
        library.create(ada.row, "by-kind", definition())
    library.remove(ada.row, report.id)
    again = library.create(ada.row, "by-kind", definition(title="New"))
    assert (again.id, again.version) == (report.id, 2)
    assert library.definition_of(library.referred(ada.id, "by-kind@1")).title == "By kind"


@pytest.mark.parametrize("name", ["jobs", "receipts"])
def test_what_is_built_in_keeps_its_name(ada: Person, name: str) -> None:
    with pytest.raises(Conflict, match="is there for everybody"):
        library.create(ada.row, name, definition())


def test_a_deleted_report_is_found_only_for_what_was_accepted(ada: Person) -> None:
    report = library.create(ada.row, "by-kind", definition())
    library.remove(ada.row, report.id)
    assert library.referred(ada.id, "by-kind@1", accepted=True).version == 1
    with pytest.raises(Invalid):
        library.referred(ada.id, "by-kind@1")
    with pytest.raises(NotFound):
        library.find(ada.id, report.id)


def test_somebody_elses_report_is_not_there(ada: Person, eve: Person) -> None:
    report = library.create(ada.row, "by-kind", definition())
    with pytest.raises(NotFound):
        library.find(eve.id, report.id)
    with pytest.raises(Invalid):
        library.referred(eve.id, "by-kind")
    with pytest.raises(NotFound):
        library.change(eve.row, report.id, definition())
    with pytest.raises(NotFound):
        library.remove(eve.row, report.id)


@pytest.mark.parametrize(
    ("changes", "pointer", "message"),
    [
        ({"sql": "DROP TABLE jobs", "parameters": []}, "/sql", "Only a statement that reads can be run"),
        ({"sql": "SELECT 1; SELECT 2", "parameters": []}, "/sql", "There are 2 statements: write one."),
        ({"sql": SQL, "parameters": []}, "/sql", "The statement uses $period_from, which is no parameter."),
        ({"sql": "FROM jobs"}, "/parameters/0", "The statement does not use $period_from or $period_to."),
        ({"sql": "FROM sales", "parameters": []}, "/sql", "There is no table called 'sales'."),
        ({"sql": "FROM '/etc/passwd'", "parameters": []}, "/sql", "There is no table called '/etc/passwd'."),
        ({"source": "shop"}, "/source", "There is no source called 'shop': data."),
    ],
)
def test_what_cannot_work_is_refused_at_its_place(
    ada: Person, changes: dict[str, Any], pointer: str, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        library.create(ada.row, "by-kind", definition(**changes))
    ((where, said),) = faults(caught)
    assert where == pointer
    assert said.startswith(message)


def test_a_statement_over_a_database_names_its_parameters_with_colons(app: Flask, ada: Person) -> None:
    app.config["REPORT_SOURCES"] = {"shop": "sqlite:///shop.db"}
    parameters = [{"name": "city", "type": "text", "label": "City"}]
    library.create(
        ada.row, "a", definition(source="shop", sql="SELECT * FROM o WHERE c = :city", parameters=parameters)
    )
    with pytest.raises(Invalid, match="values are not right") as caught:
        library.create(ada.row, "b", definition(source="shop", sql="SELECT :town", parameters=parameters))
    assert faults(caught) == [
        ("/sql", "The statement uses :town, which is no parameter."),
        ("/parameters/0", "The statement does not use :city."),
    ]


def test_datasets_are_kept_by_their_ids_and_only_ones_own(ada: Person, eve: Person) -> None:
    dataset = add_dataset(ada, "sales")
    add_dataset(eve, "theirs")
    report = library.create(ada.row, "x", definition(sql="FROM Sales JOIN jobs ON true", parameters=[]))
    assert library.version_of(report).datasets == [["sales", dataset], ["jobs", ""]]
    with pytest.raises(Invalid):
        library.create(ada.row, "y", definition(sql="FROM theirs", parameters=[]))


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a" * 101, "a@1", "ä"])
def test_a_name_can_be_referred_to(ada: Person, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        library.create(ada.row, name, definition())
    assert faults(caught)[0][0] == "/name"
