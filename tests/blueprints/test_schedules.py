"""The pages of schedules, without JavaScript."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from tests.blueprints.site import Browser, Site
from webapi.extensions import db
from webapi.models import Schedule
from webapi.queue import kind_named, seals

FORM = {"when-name": "Morning", "when-cron": "0 9 * * 1-5", "when-timezone": "Europe/Vienna", "when-catchup": "latest"}


@pytest.fixture
def browser(site: Site) -> Browser:
    return Browser(site.app, site.ada)


def add(browser: Browser, **changes: Any) -> str:
    answer = browser.post("/schedules/new/report.build", {**FORM, "title": "Sales", **changes})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_schedule_is_set_shown_and_listed(browser: Browser) -> None:
    page = browser.get(add(browser)).text
    assert "At 09:00 on Monday through Friday" in page
    assert page.count("09:00 +0") == 5
    assert "Morning" in browser.get("/schedules").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"when-cron": "61 * * * *"}, "Bad minute."),
        ({"when-timezone": "Mars"}, "There is no time zone &#39;Mars&#39;"),
        ({"when-name": ""}, "It should have at least 1 character."),
        ({"format": "docx"}, "It should be"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    browser: Browser, changes: dict[str, str], words: str
) -> None:
    answer = browser.post("/schedules/new/report.build", {**FORM, "title": "Kept as typed", **changes})
    assert (answer.status_code, words in answer.text, 'value="Kept as typed"' in answer.text) == (422, True, True)


def test_it_is_edited_with_what_it_holds_and_a_stale_form_is_refused(browser: Browser) -> None:
    path = add(browser)
    form = browser.get(f"{path}/edit").text
    assert all(f'value="{value}"' in form for value in ("Morning", "0 9 * * 1-5", "Sales", "1"))
    changed = {**FORM, "when-name": "Noon", "when-cron": "0 12 * * *", "title": "Costs", "version": "1"}
    assert browser.post(f"{path}/edit", changed).status_code == 303
    page = browser.get(path).text
    assert all(words in page for words in ("Noon", "At 12:00 every day", "Costs"))
    assert browser.post(f"{path}/edit", changed).status_code == 409


def test_it_is_paused_resumed_run_and_deleted(browser: Browser) -> None:
    path = add(browser)
    browser.post(f"{path}/pause")
    assert "Nothing until it is resumed." in browser.get(path).text
    browser.post(f"{path}/resume")
    assert browser.post(f"{path}/run").headers["Location"].startswith("/jobs/")
    assert "It has not fired yet." not in browser.get(path).text
    browser.post(f"{path}/delete")
    assert browser.get(path).status_code == 404


NONCE = re.compile(r'name="nonce" value="([0-9a-f]{32})"')


def test_a_double_click_is_one_schedule_and_one_run(browser: Browser) -> None:
    (nonce,) = NONCE.findall(browser.get("/schedules/new/report.build").text)
    path = add(browser, nonce=nonce)
    assert add(browser, nonce=nonce) == path
    assert add(browser) != path
    (nonce,) = NONCE.findall(browser.get(path).text)
    first, second = (browser.post(f"{path}/run", {"nonce": nonce}) for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    assert browser.post(f"{path}/run").location != first.location


@pytest.mark.parametrize(
    ("cron", "words"), [("0 9 * * *", "At 09:00 every day"), ("soon", "Use five fields"), ("", "")]
)
def test_the_preview_says_what_is_being_typed(browser: Browser, cron: str, words: str) -> None:
    answer = browser.get("/schedules/preview", query_string={"when-cron": cron, "when-timezone": "UTC"})
    assert (answer.status_code, words in answer.text) == (200, True)


def test_a_secret_is_not_shown_again_and_stays_when_it_is_left_empty(site: Site, browser: Browser) -> None:
    call = {**FORM, "url": "https://example.com/", "secret_headers": '{"Authorization": "canary"}', "text": "a"}
    path = browser.post("/schedules/new/http.call", call).headers["Location"]
    shown = site.program.get(f"/api/v1{path}", headers=site.ada.headers).get_json()["payload"]["secret_headers"]
    assert shown == {"Authorization": "***"}
    for page in (path, f"{path}/edit"):
        assert "canary" not in browser.get(page).text
    assert browser.post(f"{path}/edit", {**call, "secret_headers": "", "text": "b", "version": "1"}).status_code == 303
    with site.app.app_context():
        payload = db.session.get_one(Schedule, UUID(path.rpartition("/")[2])).payload
        assert "canary" not in str(payload)
        kept = seals.opened(kind_named("http.call"), payload, site.ada.id).model_dump()
    assert (kept["secret_headers"], kept["text"]) == ({"Authorization": "canary"}, "b")


def test_a_secret_whose_key_is_gone_is_asked_for_at_its_field(site: Site, browser: Browser) -> None:
    call = {**FORM, "url": "https://example.com/", "secret_headers": '{"Authorization": "canary"}'}
    path = browser.post("/schedules/new/http.call", call).headers["Location"]
    with site.app.app_context():
        row = db.session.get_one(Schedule, UUID(path.rpartition("/")[2]))
        row.payload = {**row.payload, "secret_headers": {"Authorization": "sealed under another key"}}
        db.session.commit()
    answer = browser.post(f"{path}/edit", {**call, "secret_headers": "", "version": "1"})
    assert (answer.status_code, "SECRET_KEY_FALLBACKS" in answer.text) == (422, True)
    assert browser.post(f"{path}/run").status_code == 409
    assert browser.post(f"{path}/edit", {**call, "version": "1"}).status_code == 303
    assert browser.post(f"{path}/run").status_code == 303
