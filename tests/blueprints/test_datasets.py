"""The pages of datasets: hand in, look, correct, delete."""

from __future__ import annotations

import re
from io import BytesIO
from uuid import UUID

import pytest

from tests.blueprints.api.test_datasets import uses
from tests.blueprints.site import Browser, Site
from webapi.services import datasets

CSV = b"city;amount\nK\xc3\xb6ln;3,50\n<b>Bonn</b>;4,25\n"


def send(browser: Browser, data: bytes = CSV, file_name: str = "x.csv", path: str = "/datasets", **form: str) -> str:
    """Where a form with this file leads."""
    answer = browser.post(path, {"file": (BytesIO(data), file_name), **form}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def read(site: Site, browser: Browser, where: str) -> str:
    """The page when the file has been read."""
    while 'hx-trigger="every 1s"' in (page := browser.get(where).text):
        site.work("dataset.inspect")
    return page


def test_an_empty_list_teaches(site: Site) -> None:
    page = Browser(site.app, site.eve).get("/datasets").text
    assert "SELECT city, sum(amount) FROM sales GROUP BY city" in page
    assert "Your first one" in page
    assert "1.1 GB" in page


def test_a_file_is_handed_in_and_shown_as_a_table(site: Site, browser: Browser) -> None:
    where = send(browser, file_name="Sales March.csv")
    waiting = browser.get(where).text
    assert "inspecting" in waiting
    assert "The file waits for a worker" in waiting
    assert '<meta http-equiv="refresh"' in waiting
    page = read(site, browser, where)
    assert "<h1>sales_march" in page
    assert "2 rows, 2 columns" in page
    assert '<th scope="col" class="number">amount<small>number</small></th>' in page
    assert "&lt;b&gt;Bonn&lt;/b&gt;" in page
    assert "<dd>semicolon</dd>" in page
    assert "SELECT * FROM sales_march LIMIT 10" in page
    assert "No report reads it yet." in page
    listed = browser.get("/datasets").text
    assert "sales_march" in listed
    assert "2 rows" in listed


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (None, "", "Choose a file."),
        (b"", "", "The file is empty."),
        (b"%PDF-1.7", "", "The file holds a PDF document."),
        (CSV, "Not This", "Use lower-case letters"),
    ],
    ids=["none", "empty", "pdf", "name"],
)
def test_what_is_refused_is_told_beside_the_form(browser: Browser, data: bytes | None, name: str, says: str) -> None:
    form = {"name": name} | ({} if data is None else {"file": (BytesIO(data), "x.csv")})
    answer = browser.post("/datasets", form, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert says in answer.text
    assert 'enctype="multipart/form-data"' in answer.text


def test_a_faulty_file_says_why_and_can_be_read_otherwise(site: Site, browser: Browser) -> None:
    where = send(browser, b"Report of March\n\na,b\n1,2\n", "titled.csv")
    page = read(site, browser, where)
    assert 'class="state failed">faulty' in page
    assert "<details open>" in page
    assert browser.post(where, {"skip": "2"}).status_code == 303
    page = read(site, browser, where)
    assert "1 row, 2 columns" in page
    assert "as you said" in page


def test_types_dates_and_separators_are_corrected(site: Site, browser: Browser) -> None:
    where = send(browser, b"id\tday\n7\t01/02/2026\n", "days.csv")
    read(site, browser, where)
    form = {"delimiter": "tab", "date_format": "%d/%m/%Y", "type-0": "text", "header": "yes", "quote": "", "skip": ""}
    assert browser.post(where, form).status_code == 303
    page = read(site, browser, where)
    assert '<th scope="col">id<small>text</small></th>' in page
    assert "2026-02-01" in page
    assert '<option value="tab" selected>' in page
    refused = browser.post(where, {"type-1": "integer", "skip": "-1"})
    assert refused.status_code == 422
    assert "greater than or equal to 0" in refused.text


def test_a_type_that_does_not_fit_can_be_taken_back(site: Site, browser: Browser) -> None:
    where = send(browser, b"a,b\nx,1\n", "back.csv")
    read(site, browser, where)
    browser.post(where, {"type-0": "integer"})
    page = read(site, browser, where)
    assert "holds a value in &#39;a&#39; that is not a whole number" in page
    assert 'name="type-keep"' in page
    browser.post(where, {"type-keep": "on"})
    assert "not a whole number" in read(site, browser, where)
    browser.post(where, {})
    assert "1 row, 2 columns" in read(site, browser, where)


def test_parquet_and_json_are_asked_only_what_they_have(site: Site, browser: Browser) -> None:
    page = read(site, browser, send(browser, b'[{"a": 1}]', "list.json"))
    assert 'name="encoding"' in page
    assert 'name="delimiter"' not in page


def test_the_file_is_replaced_and_the_dataset_renamed(site: Site, browser: Browser) -> None:
    where = send(browser, name="old")
    read(site, browser, where)
    send(browser, b"a\n1\n", "new.csv", f"{where}/file")
    assert "new.csv" in read(site, browser, where)
    assert browser.post(f"{where}/name", {"name": "fresh"}).status_code == 303
    assert "<h1>fresh" in browser.get(where).text
    assert browser.post(f"{where}/name", {"name": "data"}).status_code == 422


def test_what_depends_on_it_is_shown_before_the_button(site: Site, browser: Browser) -> None:
    where = send(browser, name="needed")
    read(site, browser, where)
    uses(site, where.rpartition("/")[2])
    page = browser.get(where).text
    assert re.search(r"Monthly.*could not be built.*required.*<button[^>]*>Delete needed", page, re.DOTALL)
    kept = browser.post(f"{where}/delete", {})
    assert kept.status_code == 409
    assert "Reports read this dataset" in kept.text
    assert browser.post(f"{where}/delete", {"dependents": "keep"}).status_code == 303
    assert browser.get(where).status_code == 404


def test_the_list_does_not_load_previews(site: Site, browser: Browser) -> None:
    where = send(browser, name="light")
    read(site, browser, where)
    with site.app.app_context():
        rows = {row.name: row for row, _ in datasets.of(site.ada.id)}
        assert "options" not in rows["light"].__dict__
        assert rows["light"].id == UUID(where.rpartition("/")[2])
