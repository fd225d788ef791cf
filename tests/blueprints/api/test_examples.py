"""The examples of the OpenAPI document are taken by the server as they stand, and answered in the shape it says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from tests.blueprints.api.things import everything
from tests.blueprints.site import Browser, Site
from webapi.blueprints.api import examples

Operation = tuple[str, str, dict[str, Any], list[dict[str, Any]]]
# What an example cannot know: in which state a thing is, and which effects it has.
CONFLICTS = {
    "post_api_jobs_cancel", "post_api_jobs_resolve", "post_api_jobs_release", "post_api_mailings_pause",
    "post_api_mailings_resume",
    "post_api_mailings_again", "post_api_mailings_release", "post_api_mailings_cancel",
}  # fmt: skip
LAST = ("remove", "cancel")  # what ends a thing is asked for when all else was


@pytest.fixture(scope="module")
def spec(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.program.get("/api/v1/openapi.json").get_json(force=True)
    return found


@pytest.fixture(scope="module")
def things(site: Site) -> dict[str, Any]:
    made = everything(site)
    file = site.program.post("/api/v1/uploads?name=a.csv", data=examples.CSV.encode(), headers=site.ada.headers)
    made["upload"] = (file.json or {})["id"]
    key = Browser(site.app, site.ada)
    answer = key.client.post("/api/v1/keys", json={"name": "x"}, headers={"X-CSRFToken": key.token()})
    return {**made, "key_id": (answer.json or {})["id"]}


def operations(spec: dict[str, Any]) -> list[Operation]:
    found = [
        (path, verb, operation, [*entry.get("parameters", []), *operation.get("parameters", [])])
        for path, entry in spec["paths"].items()
        for verb, operation in entry.items()
        if verb != "parameters"
    ]
    return sorted(found, key=lambda each: (each[2]["operationId"].endswith(LAST), each[1] != "get"))


def send(site: Site, things: dict[str, Any], operation: Operation, sort: str | None, example: Any) -> TestResponse:
    """The example, with the ids of Ada's things in the place of the document's."""
    path, verb, described, parameters = operation
    for each in [each for each in parameters if each["in"] == "path"]:
        path = path.replace(f"{{{each['name']}}}", str(things.get(each["name"], each.get("example"))))
    query = urlencode({each["name"]: each["example"] for each in parameters if _asked(each)}, doseq=True)
    lines = example if sort == "application/x-ndjson" else [example]
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    body = None if sort is None else text.replace(examples.UPLOAD, str(things["upload"]))
    headers = {"Content-Type": sort} if sort else {}
    if {"session": []} in described["security"]:
        browser = Browser(site.app, site.ada)
        return browser.client.open(path, method=verb, data=body, headers={**headers, "X-CSRFToken": browser.token()})
    return site.program.open(f"{path}?{query}", method=verb, data=body, headers={**headers, **site.ada.headers})


def _asked(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "query" and "example" in parameter


def check_shape(spec: dict[str, Any], operation: Operation, answer: TestResponse) -> None:
    described = operation[2]["responses"].get(str(answer.status_code)) or operation[2]["responses"]["default"]
    content = described.get("content", {})
    assert not content or answer.mimetype in content or "*/*" in content, (operation[:2], answer.mimetype)
    schema = content.get(answer.mimetype, {}).get("schema")
    if schema and answer.data:
        Draft202012Validator({**schema, "components": spec["components"]}).validate(answer.get_json(force=True))


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_every_example_is_taken_and_answered_as_it_says(
    site: Site, spec: dict[str, Any], things: dict[str, Any]
) -> None:
    sent = 0
    for operation in operations(spec):
        content = operation[2].get("requestBody", {}).get("content", {})
        for sort, media in content.items() or [(None, {})]:
            answer = send(site, things, operation, sort, media.get("example"))
            expected = {200, 201, 202, 204} | ({404, 409, 422} if operation[2]["operationId"] in CONFLICTS else set())
            assert answer.status_code in expected, (*operation[:2], sort, answer.text)
            check_shape(spec, operation, answer)
            sent += 1
    assert sent > len(spec["paths"])


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_every_body_and_answer_has_an_example_that_fits_its_schema(site: Site, spec: dict[str, Any]) -> None:
    for path, verb, operation, _ in operations(spec):
        told = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for each in told for media in each.get("content", {}).values() if media.get("schema")):
            assert "example" in media, (path, verb)
            Draft202012Validator({**media["schema"], "components": spec["components"]}).validate(media["example"])


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_every_operation_says_what_it_does(site: Site, spec: dict[str, Any]) -> None:
    for path, verb, operation, _ in operations(spec):
        assert len(operation["summary"].split()) > 2, (path, verb)
