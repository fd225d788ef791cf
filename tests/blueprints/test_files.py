"""The page of the largest files, and the doors that refuse what finds no room."""

from __future__ import annotations

from io import BytesIO

import pytest

from tests.blueprints.site import Browser, Site
from tests.blueprints.test_identity_owners import mail_things

UPLOADS = "/api/v1/uploads?name=a.bin"


def hand_in(site: Site, size: int) -> int:
    return site.program.post(UPLOADS, data=b"x" * size, headers=site.ada.headers).status_code


def test_files_are_listed_and_deleted_and_the_use_is_shown(site: Site) -> None:
    hand_in(site, 3000)
    browser = Browser(site.app, site.ada)
    page = browser.get("/files").text
    assert "a.bin" in page
    assert "3.0 kB" in page
    upload = page.split("/files/uploads/")[1].split("/")[0]
    assert site.program.delete(f"/api/v1/uploads/{upload}", headers=site.eve.headers).status_code == 404
    assert browser.post(f"/files/uploads/{upload}/delete").status_code == 303
    assert "You keep no files" in browser.get("/files").text


def test_the_file_of_a_mailing_stays_with_it(site: Site) -> None:
    upload = mail_things(site)["upload_id"]
    answer = site.program.delete(f"/api/v1/uploads/{upload}", headers=site.ada.headers)
    assert (answer.status_code, (answer.json or {})["detail"][:38]) == (409, "A mailing went out to the rows of this")


def test_what_is_used_is_told_to_programs(site: Site) -> None:
    me = site.program.get("/api/v1/me", headers=site.ada.headers).json or {}
    assert {"open_jobs", "storage_bytes", "datasets", "requests_per_minute"} <= me["limits"].keys()


@pytest.mark.parametrize("path", [UPLOADS, "/api/v1/datasets?name=big&file_name=big.csv"])
def test_what_finds_no_room_is_refused_before_it_is_sent(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setitem(site.app.config, "STORAGE_BYTES_PER_OWNER", 100)
    body = BytesIO(b"x" * 500)
    answer = site.program.post(path, input_stream=body, content_length=500, headers=site.ada.headers)
    assert (answer.status_code, (answer.json or {})["code"], body.tell()) == (413, "storage_full", 0)
    assert "Delete datasets, uploads or files" in (answer.json or {})["detail"]
