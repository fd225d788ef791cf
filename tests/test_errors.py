"""Whatever goes wrong comes out as one shape: problem details for programs, the same facts as a page for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound as WerkzeugNotFound

from tests.conftest import BASE, Person
from webapi import create_app, errors
from webapi.errors import DatabaseAway, Fault, NotFound, Transient, WebapiError
from webapi.extensions import db

LIMIT = 2048
MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


@pytest.fixture(scope="module")
def sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of an app whose views never ask Redis. The key is Ada's."""
    folder = tmp_path_factory.mktemp("errors")
    (folder / "webapi.db").write_bytes(sqlite_template.read_bytes())
    settings = {"DATABASE_URL": f"sqlite:///{folder / 'webapi.db'}", "REDIS_URL": "redis://127.0.0.1:1/0"}
    app = create_app({**BASE, **settings, "STORAGE_URL": str(folder / "files"), "MAX_CONTENT_LENGTH": LIMIT})

    @app.get("/api/v1/broken")
    def broken() -> str:
        raise ValueError("canary@private.example")

    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def key(sqlite: FlaskClient) -> dict[str, str]:
    return Person(sqlite.application, "ada@example.com").headers


SUBMIT = "/api/v1/jobs/data.process"
WRONG: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("POST", SUBMIT, {"data": b"{", "content_type": "application/json"}, 400, "malformed"),
    ("GET", "/api/v1/jobs?nonsense=1", {}, 400, "malformed"),
    ("GET", "/api/v1/nothing", {}, 404, "not_found"),
    ("GET", "/api/v1/kinds/email.welcome", {}, 404, "not_found"),
    ("POST", "/api/v1/jobs/no.such", {"json": {}}, 404, "not_found"),
    ("GET", "/status/no-id", {}, 404, "not_found"),
    ("DELETE", "/api/v1/jobs", {}, 405, "method_not_allowed"),
    ("POST", SUBMIT, {"json": {"data": "x" * LIMIT}}, 413, "request_entity_too_large"),
    ("POST", "/api/v1/uploads?name=x", {"data": b"x" * (LIMIT + 1)}, 413, "request_entity_too_large"),
    ("POST", SUBMIT, {"data": b"<data/>", "content_type": "text/xml"}, 415, "unsupported_media_type"),
    ("POST", SUBMIT, {"data": {"data": "1"}}, 415, "unsupported_media_type"),
    ("POST", SUBMIT, {"json": {"dada": 1}}, 422, "invalid"),
    ("GET", "/api/v1/broken", {}, 500, "internal_error"),
]


@pytest.mark.parametrize(("method", "path", "options", "status", "code"), WRONG)
def test_a_program_gets_a_problem(
    sqlite: FlaskClient, key: dict[str, str], method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    answer = sqlite.open(path, method=method, headers=key, **options)
    problem = answer.get_json(force=True)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert problem.keys() == MEMBERS
    assert (problem["status"], problem["code"], problem["request_id"]) == (status, code, answer.headers["X-Request-ID"])
    assert problem["title"]
    assert problem["detail"]


def test_without_a_key_it_says_how_to_send_one(sqlite: FlaskClient) -> None:
    answer = sqlite.get("/api/v1/jobs")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="webapi"')
    assert (answer.get_json(force=True)["code"], answer.mimetype) == ("not_signed_in", "application/problem+json")


@pytest.mark.parametrize("token", ["", "x", "wapi_live_0123456789ab_" + "0" * 64, "wapi_test_0123456789ab_" + "0" * 64])
def test_a_key_that_does_not_work_is_never_taken_for_none(sqlite: FlaskClient, token: str) -> None:
    answer = sqlite.get("/api/v1/jobs", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_the_verbs_that_would_do_are_named(sqlite: FlaskClient, key: dict[str, str]) -> None:
    answer = sqlite.delete("/api/v1/jobs", headers=key)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_person_gets_the_same_facts_as_a_page(sqlite: FlaskClient) -> None:
    answer = sqlite.get("/nothing/here", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert answer.headers["X-Request-ID"] in answer.text


def test_a_program_may_ask_for_a_problem_anywhere(sqlite: FlaskClient) -> None:
    answer = sqlite.get("/nothing/here", headers={"Accept": "application/json"})
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_was_asked_for_is_escaped(sqlite: FlaskClient, accept: str) -> None:
    answer = sqlite.get("/<script>alert(1)</script>", headers={"Accept": accept})
    assert "<script>alert" not in answer.text


def test_an_error_of_ours_says_nothing_private(sqlite: FlaskClient) -> None:
    assert "canary" not in sqlite.get("/api/v1/broken").text


def test_an_error_without_words_of_its_own_says_what_its_class_says() -> None:
    assert NotFound().message == "There is nothing here."
    assert str(NotFound("There is no such job.")) == "There is no such job."


def test_an_error_carries_its_faults_its_headers_and_its_wait() -> None:
    fault = Fault("/to/0", "No.")
    assert errors.Invalid(faults=(fault,)).faults == (fault,)
    assert DatabaseAway().headers == {"Retry-After": "5"}
    assert Transient("Busy.", retry_after=30).retry_after == 30


def classes(base: type[WebapiError] = WebapiError) -> list[type[WebapiError]]:
    return [base, *(found for each in base.__subclasses__() for found in classes(each))]


def test_every_error_has_a_sentence_and_no_two_a_code() -> None:
    ours = [each for each in classes() if each.__module__ == "webapi.errors"]
    assert all((each.__doc__ or "").strip().partition("\n")[0].endswith(".") for each in ours)
    codes = [each.code for each in ours]
    assert len(codes) == len(set(codes))
    assert not issubclass(NotFound, WerkzeugNotFound)
