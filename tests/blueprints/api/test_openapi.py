"""The OpenAPI document is valid and says what the server does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.blueprints.routes import routes
from tests.blueprints.site import Site
from webapi.blueprints.api.jobs import ListQuery, SubmitQuery

JOBS = "/api/v1/jobs"
KINDS = ("data.process", "email.bulk", "email.digest", "email.send", "http.call", "image.resize", "report.build")


@pytest.fixture(scope="module")
def spec(site: Site) -> dict[str, Any]:
    answer = site.program.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json(force=True)
    return found


def test_it_is_valid(spec: dict[str, Any]) -> None:
    validate(spec)
    assert spec["openapi"].startswith("3.1")


def test_each_open_kind_is_one_post_with_its_payload(spec: dict[str, Any]) -> None:
    submits = {path: entry for path, entry in spec["paths"].items() if path.startswith(f"{JOBS}/") and "." in path}
    assert set(submits) == {f"{JOBS}/{kind}{rest}" for kind in KINDS for rest in ("", "/batch")}
    for path, entry in submits.items():
        (verb,) = entry
        body = entry[verb]["requestBody"]["content"]["application/json"]["schema"]
        reference = body["items"]["$ref"] if path.endswith("/batch") else body["$ref"]
        schema = spec["components"]["schemas"][reference.rpartition("/")[2]]
        assert (verb, schema["additionalProperties"], bool(schema["properties"])) == ("post", False, True), path


def test_the_payload_of_a_mail_is_described(spec: dict[str, Any]) -> None:
    schema = spec["components"]["schemas"]["email_send_payload"]
    assert schema["required"] == ["to"]
    assert schema["properties"]["to"]["maxItems"] == 50


@pytest.mark.parametrize(
    ("path", "verb", "model"), [(JOBS, "get", ListQuery), (f"{JOBS}/email.send", "post", SubmitQuery)]
)
def test_the_parameters_are_those_that_are_read(spec: dict[str, Any], path: str, verb: str, model: Any) -> None:
    described = {each["name"] for each in spec["paths"][path][verb]["parameters"] if each["in"] == "query"}
    assert described == set(model.model_fields)


def test_the_door_for_mailings_takes_what_its_kind_takes(spec: dict[str, Any]) -> None:
    door, kind = (spec["paths"][path]["post"] for path in ("/api/v1/mailings", f"{JOBS}/email.bulk"))
    names = [{each["name"] for each in entry["parameters"]} for entry in (door, kind)]
    assert (door["requestBody"], names[0] | {"Prefer"}) == (kind["requestBody"], names[1])
    assert door["operationId"] != kind["operationId"]


def test_every_route_of_the_api_is_described_and_no_other(spec: dict[str, Any]) -> None:
    real = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule.rule), route.method.lower())
        for safe in (True, False)
        for route in routes(safe=safe)
        if route.endpoint.startswith("api_") and route.endpoint not in {"api_jobs.submit", "api_batches.submit"}
    }
    described = {
        (path, verb)
        for path, entry in spec["paths"].items()
        for verb in entry
        if verb != "parameters" and not path.startswith(tuple(f"{JOBS}/{kind}" for kind in KINDS))
    }
    assert described == real


def test_every_operation_needs_a_key_or_a_person_and_may_fail_with_a_problem(spec: dict[str, Any]) -> None:
    for path, entry in spec["paths"].items():
        for verb, operation in entry.items():
            problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            who = "session" if path.startswith("/api/v1/keys") else "key"
            assert (operation["security"], problem) == (
                [{who: []}],
                {"$ref": "#/components/schemas/Problem"},
            ), f"{verb} {path}"


def test_no_two_operations_share_a_name(spec: dict[str, Any]) -> None:
    names = [operation["operationId"] for entry in spec["paths"].values() for operation in entry.values()]
    assert len(names) == len(set(names))


def test_it_says_nothing_of_kinds_that_are_closed(spec: dict[str, Any]) -> None:
    assert "welcome" not in str(spec)
