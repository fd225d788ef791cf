"""Pages: the reference of the API, drawn from the document, for everybody and without a script."""

from __future__ import annotations

import html
import re
import shlex
from typing import Any

import pytest

from tests.blueprints.site import Browser, Site
from webapi.blueprints.docs import ticked

INLINE = re.compile(r"<script(?![^>]* src=)|<style| style=| on\w+=|(?:src|href)=\"(?:https?:)?//")
pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def operations(site: Site) -> dict[str, dict[str, Any]]:
    spec: dict[str, Any] = site.program.get("/api/v1/openapi.json").get_json(force=True)
    entries = [each for entry in spec["paths"].values() for verb, each in entry.items() if verb != "parameters"]
    return {each["operationId"]: each for each in entries}


def test_the_index_names_every_operation_and_is_light(operations: dict[str, Any], visitor: Browser) -> None:
    page = visitor.get("/docs")
    assert {re.sub("^/docs/", "", each) for each in re.findall(r'href="(/docs/[^"]+)"', page.text)} == set(operations)
    assert len(page.data) < 40_000


def test_each_operation_has_a_page_without_anything_inline(operations: dict[str, Any], visitor: Browser) -> None:
    for name, operation in operations.items():
        page = visitor.get(f"/docs/{name}")
        assert page.status_code == 200
        assert ticked(operation["summary"]) in page.text
        assert not INLINE.search(page.text)
        assert len(page.data) < 60_000


def test_its_curl_line_is_one_command_that_does_it(site: Site, visitor: Browser) -> None:
    text = html.unescape(visitor.get("/docs/submit_data_process").text)
    found = re.search(r"<code>(curl .*?)</code>", text, re.DOTALL)
    assert found is not None
    words = shlex.split(found[1].replace("\\\n", " "))
    assert words[:3] == ["curl", "-X", "POST"]
    assert words[words.index("-H") + 1] == "Authorization: Bearer $WEBAPI_KEY"
    path = words[3].removeprefix(site.app.config["PUBLIC_URL"])
    sent = words[words.index("--data-binary") + 1]
    headers = {**site.ada.headers, "Content-Type": "application/json"}
    assert site.program.post(path, data=sent, headers=headers).status_code == 202


def test_fields_are_listed_with_their_limits(visitor: Browser) -> None:
    text = visitor.get("/docs/submit_email_send").text
    row = next(each for each in text.split("<tr>") if "<code>to</code>" in each)
    assert "needed" in row
    assert "≤ 50 of them" in row


def test_what_stands_between_backticks_is_code_and_all_else_is_escaped(visitor: Browser) -> None:
    page = visitor.get("/docs").text
    assert "`" not in page
    assert "<code>file_name</code> its name" in page
    assert ticked("`a<b` & <i>") == "<code>a&lt;b</code> &amp; &lt;i&gt;"


def test_an_operation_that_is_not_there_is_404(visitor: Browser) -> None:
    assert visitor.get("/docs/no_such_operation").status_code == 404


def test_the_page_of_keys_leads_there(browser: Browser) -> None:
    assert 'href="/docs"' in browser.get("/keys").text
