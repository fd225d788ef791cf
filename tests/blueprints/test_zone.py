"""Times on pages are those of the person's zone, which they choose."""

from __future__ import annotations

import re

from tests.blueprints.site import Browser, Site

TIME = re.compile(r'<time class="ago" datetime="([^"]+)" title="([^"]+)">([^<]+)</time>')


def test_a_time_says_how_long_ago_and_exactly_when_in_the_persons_zone(site: Site) -> None:
    site.submit("data.process", {"file": None, "data": 1})
    browser = Browser(site.app, site.ada)
    at, exact, words = TIME.findall(browser.get("/jobs").text)[0]
    assert exact.endswith(" UTC")
    assert exact[-12:-4] == at[11:19]
    assert words == "just now" or words.endswith("ago")
    answer = browser.post("/account/zone", {"time_zone": "Asia/Kathmandu"})
    assert answer.status_code == 303
    page = browser.get(answer.location)
    assert "Times are shown in Asia/Kathmandu from now on." in page.text
    same, exact, _ = TIME.findall(browser.get("/jobs").text)[0]
    assert same == at
    assert exact.endswith(" +05:45 (Asia/Kathmandu)")
    assert int(exact.split(":")[1]) == (int(at[14:16]) + 45) % 60


def test_what_is_no_zone_is_refused(browser: Browser) -> None:
    answer = browser.post("/account/zone", {"time_zone": "Mars/Olympus"})
    assert answer.status_code == 422
    assert "There is no time zone" in answer.text


def test_a_visitor_and_a_key_choose_none(site: Site, visitor: Browser) -> None:
    assert visitor.post("/account/zone", {"time_zone": "UTC"}).status_code in {302, 401}
    answer = site.program.post("/account/zone", data={"time_zone": "UTC"}, headers=site.ada.headers)
    assert answer.status_code == 403
