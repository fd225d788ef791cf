"""Static files: kept for a year under an address that changes with them, and compressed."""

from __future__ import annotations

import gzip
import re

import pytest
from flask.testing import FlaskClient

from webapi import create_app

KEPT = "public, max-age=31536000, immutable"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture(scope="module")
def visitor() -> FlaskClient:
    return create_app({"DATABASE_URL": "sqlite://"}).test_client()


def links(visitor: FlaskClient) -> list[str]:
    """The addresses of all static files on the page that a visitor sees first."""
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', visitor.get("/login").text)


def test_a_page_names_the_version_of_each_file(visitor: FlaskClient) -> None:
    found = links(visitor)
    assert len(found) >= 5
    assert all(re.search(r"\?v=[0-9a-f]{12}$", link) for link in found), found


def test_a_named_version_is_kept_for_a_year(visitor: FlaskClient) -> None:
    for link in links(visitor):
        assert visitor.get(link).headers["Cache-Control"] == KEPT, link


@pytest.mark.parametrize("query", ["", "?v=", "?v=000000000000", "?v=x"])
def test_another_version_is_asked_for_again_each_time(visitor: FlaskClient, query: str) -> None:
    """Its bytes are not those that were meant: a year of them would be a year too long."""
    answer = visitor.get(f"/static/app.css{query}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_text_is_compressed_for_who_can_read_it(visitor: FlaskClient) -> None:
    plain, small = visitor.get("/static/app.css"), visitor.get("/static/app.css", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data) / 3
    assert plain.headers["ETag"] != small.headers["ETag"]
    assert all("Accept-Encoding" in each.headers["Vary"] for each in (plain, small))


@pytest.mark.parametrize("headers", [{}, GZIP], ids=["plain", "gzip"])
def test_what_did_not_change_is_not_sent_again(visitor: FlaskClient, headers: dict[str, str]) -> None:
    tag = visitor.get("/static/app.css", headers=headers).headers["ETag"]
    again = visitor.get("/static/app.css", headers={**headers, "If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_a_part_of_a_file_is_a_part_of_its_own_bytes(visitor: FlaskClient) -> None:
    answer = visitor.get("/static/app.css", headers={**GZIP, "Range": "bytes=0-9"})
    assert (answer.status_code, answer.data) == (206, visitor.get("/static/app.css").data[:10])
    assert "Content-Encoding" not in answer.headers


def test_a_page_is_never_compressed(visitor: FlaskClient) -> None:
    """It holds a token beside words that somebody else may choose."""
    answer = visitor.get("/login?next=/jobs", headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["nothing.css", "../factory.py", "vendor", "%00"])
def test_what_is_not_there_is_not_found(visitor: FlaskClient, name: str) -> None:
    assert visitor.get(f"/static/{name}?v=1", headers=GZIP).status_code in {400, 404}
