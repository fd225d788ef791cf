"""A look at what a report would hold."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import Person
from tests.services.reports.test_building import add_jobs
from webapi.errors import Invalid
from webapi.services.reports import previewing
from webapi.services.reports.definition import Definition

pytestmark = pytest.mark.usefixtures("context")


def look(owner: Person, sql: str, source: str = "data", **given: str) -> previewing.Look:
    parameters = [{"name": name, "type": "text", "label": name} for name in given]
    definition = Definition.model_validate({"title": "T", "sql": sql, "source": source, "parameters": parameters})
    return previewing.look(owner.id, definition, given, "UTC")


def test_the_first_rows_are_shown_as_texts(ada: Person) -> None:
    add_jobs(ada.id, 60)
    seen = look(ada, "SELECT kind, attempts, NULL AS nothing, $mark AS mark FROM jobs", mark="<b>")
    assert seen.columns == [("kind", "text"), ("attempts", "integer"), ("nothing", "text"), ("mark", "text")]
    assert (seen.rows[0], len(seen.rows), seen.more) == (["test.old", "2", "", "<b>"], 50, True)


def test_what_is_wrong_is_said(app: Flask, ada: Person) -> None:
    for sql, message in (
        ("SELECT nonsense FROM jobs", 'Referenced column "nonsense" not found'),
        ("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7", "within 10 seconds"),
    ):
        with pytest.raises(Invalid, match=message):
            look(ada, sql)


def test_a_database_that_is_away_is_said_to_be(app: Flask, ada: Person) -> None:
    app.config["REPORT_SOURCES"] = {"shop": "sqlite:////nowhere/shop.db"}
    with pytest.raises(Invalid, match="cannot be reached"):
        look(ada, "SELECT 1", "shop")


@pytest.mark.parametrize(
    ("sql", "chart", "message"),
    [
        ("SELECT 1 AS a, 2 AS b", {"kind": "bar", "x": "a", "y": ["c"]}, "A chart needs"),
        ("SELECT 1 AS a, 2 AS b", {"kind": "pie", "x": "a", "y": ["a", "b"]}, "A pie shows one column"),
    ],
)
def test_what_no_file_could_hold_is_said(ada: Person, sql: str, chart: object, message: str) -> None:
    definition = Definition.model_validate({"title": "T", "sql": sql, "chart": chart})
    with pytest.raises(Invalid, match=message):
        previewing.look(ada.id, definition, {}, "UTC")
