"""Files for payloads: the body is the bytes, and the name is only shown."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.blueprints.site import Site

CSV = b"city,sales\nBern,12\n"


def upload(site: Site, content: bytes = CSV, name: str = "sales.csv", media_type: str = "text/csv") -> TestResponse:
    headers = {**site.ada.headers, "Content-Type": media_type}
    return site.program.post("/api/v1/uploads", query_string={"name": name}, data=content, headers=headers)


def test_a_file_is_kept_and_named_by_its_hash(site: Site) -> None:
    answer = upload(site)
    kept = answer.json or {}
    assert (answer.status_code, kept["name"], kept["size"], kept["media_type"]) == (201, "sales.csv", 19, "text/csv")
    assert kept["sha256"] == hashlib.sha256(CSV).hexdigest()


def test_a_job_reads_it(site: Site) -> None:
    job = site.submit("data.process", {"file": (upload(site).json or {})["id"]})
    while site.job(job["id"]).state == "queued":
        site.work("data.process")
    assert (site.job(job["id"]).result or {})["rows"] == 1


def test_anothers_file_is_refused_like_one_that_does_not_exist(site: Site) -> None:
    theirs = (upload(site).json or {})["id"]
    answers = [
        site.program.post("/api/v1/jobs/data.process", json={"file": each}, headers=site.eve.headers).get_json(
            force=True
        )
        for each in (theirs, "01900000-0000-7000-8000-000000000000")
    ]
    assert [(each["status"], each["errors"]) for each in answers] == [
        (422, [{"pointer": "/file", "message": "There is no such upload."}])
    ] * 2


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\sales.csv", "sales.csv"),
        ("<script>.csv", "_script_.csv"),
        ("a\r\nSet-Cookie: x.csv", "a__Set-Cookie_ x.csv"),
        ("...", "file"),
        ("Zürich.csv", "Zürich.csv"),
    ],
)
def test_a_name_does_no_harm(site: Site, name: str, kept: str) -> None:
    assert (upload(site, name=name).json or {})["name"] == kept


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "x" * 201}, 400),
        ({"media_type": "multipart/form-data; boundary=x"}, 400),
        ({"content": b"x" * (1024 * 1024 + 1)}, 413),
    ],
)
def test_anything_else_is_refused(site: Site, options: dict[str, Any], status: int) -> None:
    assert upload(site, **options).status_code == status


def test_without_a_name_it_is_refused_and_so_is_another_parameter(site: Site) -> None:
    answers = [
        site.program.post(f"/api/v1/uploads{query}", data=CSV, headers=site.ada.headers).status_code
        for query in ("", "?name=a&path=b", "?name=a&name=b")
    ]
    assert answers == [400, 400, 400]


@pytest.mark.parametrize("media_type", ["", "nonsense", "a/" + "b" * 200, "text/csv; charset=utf-8"])
def test_a_media_type_that_makes_no_sense_is_plain_bytes(site: Site, media_type: str) -> None:
    kept = (upload(site, media_type=media_type).json or {})["media_type"]
    assert kept in {"application/octet-stream", "text/csv"}


def test_a_media_type_beyond_ascii_is_plain_bytes(site: Site) -> None:
    assert (upload(site, media_type="text/html\u00e9").json or {})["media_type"] == "application/octet-stream"


def test_an_empty_file_is_a_file(site: Site) -> None:
    assert (upload(site, b"").json or {})["size"] == 0
