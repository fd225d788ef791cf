"""How large a body may be, before anybody reads it, and where a file waits."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask, request

from tests.blueprints.site import Browser
from tests.conftest import Person
from webapi.blueprints.bodies import HELD
from webapi.models.transaction import writing

LIMIT = 3 << 20  # bytes of a dataset here; other bodies may have a third of it
QUERY = {"file_name": "x.csv"}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(DATASET_BYTES=LIMIT, MAX_CONTENT_LENGTH=LIMIT // 3)


class Untouched(BytesIO):
    """A body that nobody may read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("somebody read it")


def waiting(app: Flask) -> list[str]:
    return [str(path) for path in (app.extensions["files"].root / "incoming").glob("*")]


@pytest.mark.parametrize("size", [LIMIT // 2, LIMIT])
def test_a_dataset_may_be_larger_than_other_bodies(app: Flask, ada: Person, size: int) -> None:
    client, data = app.test_client(), b"a\n" + b"1\n" * (size // 2 - 1)
    made = client.post("/api/v1/datasets", data=data, query_string=QUERY, headers=ada.headers)
    assert (made.status_code, (made.json or {})["size"]) == (202, size)
    path = f"/api/v1/datasets/{(made.json or {})['id']}/file"
    assert client.put(path, data=data, query_string=QUERY, headers=ada.headers).status_code == 202
    upload = client.post("/api/v1/uploads", data=data, query_string={"name": "x"}, headers=ada.headers)
    assert upload.status_code == 413


@pytest.mark.parametrize("path", ["/api/v1/datasets", "/api/v1/datasets/01900000-0000-7000-8000-000000000000/file"])
def test_one_that_is_declared_too_large_is_refused_unread(app: Flask, ada: Person, path: str) -> None:
    answer = app.test_client().open(
        path, method="PUT" if path.endswith("file") else "POST", query_string=QUERY, headers=ada.headers,
        input_stream=Untouched(), environ_overrides={"CONTENT_LENGTH": str(2 << 30)},
    )  # fmt: skip
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["detail"]) == (413, "The file is larger than the 3 MB that a dataset may have.")


def test_one_that_is_not_declared_ends_at_the_limit(app: Flask, ada: Person) -> None:
    """As a chunked body comes."""
    answer = app.test_client().post(
        "/api/v1/datasets", query_string=QUERY, headers=ada.headers,
        input_stream=BytesIO(b"1\n" * LIMIT), environ_overrides={"wsgi.input_terminated": True},
    )  # fmt: skip
    assert answer.status_code == 413
    assert waiting(app) == []


def test_a_form_may_be_as_large(app: Flask, ada: Person) -> None:
    form = {"file": (BytesIO(b"a\n" + b"1\n" * (LIMIT // 2 - 1)), "x.csv")}
    assert Browser(app, ada).post("/datasets", form, content_type="multipart/form-data").status_code == 303
    assert waiting(app) == []


def test_the_file_of_a_form_waits_on_the_disk_of_files(app: Flask) -> None:
    with app.test_request_context():
        stream = request._get_file_stream(None, None)
        stream.write(bytes(HELD + 1))
        place = Path(f"/proc/self/fd/{stream.fileno()}").readlink()
        stream.close()
    assert place.parent == app.extensions["files"].root / "incoming"


def test_a_form_that_is_too_large_is_refused(app: Flask, ada: Person) -> None:
    browser = Browser(app, ada)
    for size in (LIMIT + 2, 2 * LIMIT):
        form = {"file": (BytesIO(b"1\n" * (size // 2)), "x.csv")}
        answer = browser.post("/datasets", form, content_type="multipart/form-data")
        assert answer.status_code == 413
        assert "larger than the 3 MB that a dataset may have" in answer.text
    assert waiting(app) == []


def test_visitors_and_people_without_a_confirmed_address_send_no_more_than_elsewhere(app: Flask, ada: Person) -> None:
    data, client = b"1\n" * (LIMIT // 4), app.test_client()
    form = {"file": (BytesIO(data), "x.csv")}
    assert client.post("/datasets", data=form).status_code == 413
    with app.app_context(), writing():
        ada.row.verified_at = None
    answer = client.post("/api/v1/datasets", data=data, query_string=QUERY, headers=ada.headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(("path", "query"), [("/api/v1/uploads", {"name": "x"}), ("/api/v1/datasets", QUERY)])
def test_a_file_that_its_sender_calls_a_form_is_kept_whole(
    app: Flask, ada: Person, path: str, query: dict[str, str]
) -> None:
    """curl --data-binary does, unless it is told otherwise."""
    headers = {**ada.headers, "Content-Type": "application/x-www-form-urlencoded"}
    answer = app.test_client().post(path, data=b"a=b&c\n1\n", query_string=query, headers=headers)
    assert (answer.json or {})["size"] == 8
