"""The pages of email templates, without JavaScript."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from tests.blueprints.site import Browser, Site

WORDING = {"subject": "For {{first_name}}", "html": "<p>Dear {{first_name}}</p>", "text": "", "layout": "on"}


def save(browser: Browser, **changes: str) -> str:
    answer = browser.post("/templates/new", {"name": f"t-{uuid4().hex}", **WORDING, **changes})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_template_is_written_changed_and_every_version_stays(browser: Browser) -> None:
    path = save(browser)
    assert "Version 1" in browser.get(path).text
    answer = browser.post(path, {**WORDING, "subject": "Now for {{first_name}}", "version": "1"})
    assert answer.status_code == 303
    page = browser.get(path).text
    assert all(words in page for words in ("Version 2", "Now for {{first_name}}", "For {{first_name}}"))
    assert 'value="For {{first_name}}"' in browser.get(f"{path}?version=1").text


def test_a_stale_form_overwrites_nobody(browser: Browser) -> None:
    path = save(browser)
    browser.post(path, {**WORDING, "subject": "First", "version": "1"})
    answer = browser.post(path, {**WORDING, "subject": "Second", "version": "1"})
    assert (answer.status_code, "Somebody changed this template meanwhile" in answer.text) == (422, True)
    assert 'value="Second"' in answer.text, "what was typed is lost"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subject": "{{first name}}"}, "is no placeholder"),
        ({"html": "{% if x %}{{x}}"}, ""),
        ({"html": "{{x|safe}}"}, "is no placeholder"),
        ({"html": "", "text": ""}, "Give HTML, or a text, or both."),
        ({"name": "No Capitals"}, "Use lower-case letters"),
        ({"subject": ""}, "at least 1 character"),
    ],
)
def test_what_cannot_be_rendered_is_refused_beside_its_field(
    browser: Browser, changes: dict[str, str], words: str
) -> None:
    answer = browser.post("/templates/new", {"name": f"t-{uuid4().hex}", **WORDING, **changes})
    if not words:  # other template languages mean nothing here
        assert answer.status_code == 303
        return
    assert (answer.status_code, words in answer.text) == (422, True)


def test_the_preview_is_a_document_that_can_run_nothing(browser: Browser) -> None:
    html = "<p>Dear {{first_name}}</p><script>alert(1)</script>"
    answer = browser.post("/templates/preview", {**WORDING, "html": html, "value-first_name": "<b>Ada</b>"})
    assert "Dear &lt;b&gt;Ada&lt;/b&gt;" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy


def test_the_preview_names_what_is_wrong_and_what_has_no_value(browser: Browser) -> None:
    assert "[first_name]" in browser.post("/templates/preview", WORDING).text
    assert "is no placeholder" in browser.post("/templates/preview", {**WORDING, "html": "{{"}).text
    facts = browser.post("/templates/preview/facts", {**WORDING, "value-first_name": "Ada"}).text
    assert re.search(r'name="value-first_name"[^>]*value="Ada"', facts)
    assert "For Ada" in facts


def test_a_template_that_is_deleted_is_gone(browser: Browser) -> None:
    path = save(browser)
    assert browser.post(f"{path}/delete").status_code == 303
    assert browser.get(path).status_code == 404


def test_another_persons_templates_are_not_there(browser: Browser, site: Site) -> None:
    path = save(browser)
    eve = Browser(site.app, site.eve)
    assert eve.get(path).status_code == eve.post(path, {**WORDING, "version": "1"}).status_code == 404
