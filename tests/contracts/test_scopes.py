"""Every door says who may open it: what is in no table is closed, and a test asks for the entry."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.blueprints.routes import Route, routes
from webapi import create_app
from webapi.blueprints import rights
from webapi.models import Scope

ROUTES = [each for safe in (True, False) for each in routes(safe=safe)]


def blueprint(endpoint: str) -> str | None:
    return endpoint.rpartition(".")[0] or None


def test_every_blueprint_is_in_one_table() -> None:
    tables = Counter([*rights.PROGRAMS, *rights.PAGES, *rights.UNASKED])
    met = {blueprint(route.endpoint) for route in ROUTES}
    missing, twice = met - tables.keys(), [name for name, count in tables.items() if count > 1]
    assert not missing, f"{missing}: put them into a table of webapi/blueprints/rights.py; until then no key opens them"
    assert not twice
    assert not tables.keys() - met, f"{tables.keys() - met} are no blueprints any more: take them out"


@pytest.mark.parametrize("route", [each for each in ROUTES if blueprint(each.endpoint) in rights.PROGRAMS], ids=str)
def test_every_operation_needs_a_scope(route: Route) -> None:
    assert rights.scope_of(route.endpoint, route.method) is not None


def test_the_exceptions_are_routes() -> None:
    endpoints = {route.endpoint for route in ROUTES}
    assert not (rights.SUBMITS | rights.VIEWERS_MAY) - endpoints
    assert rights.OF_ONE_KIND <= rights.PROGRAMS


def test_the_document_says_each_operations_scope() -> None:
    app = create_app({"DATABASE_URL": "sqlite://"})
    paths = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
    said = {(path, method): each.get("x-scope") for path, verbs in paths.items() for method, each in verbs.items()}
    assert set(said.values()) == set(Scope)
    assert (said["/api/v1/jobs/email.send", "post"], said["/api/v1/jobs", "get"]) == ("submit", "read")
    assert said["/api/v1/jobs/cancel", "post"] == "manage"
