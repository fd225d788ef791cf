"""Every page on a telephone: sound for a screen reader, no wider than the screen, light, and still."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from tests.browser.conftest import Site
from tests.browser.filling import fill

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
MOST_BYTES = 100_000  # over the wire: what is sent, headers and all, as compressed as it is sent
MOST_SHIFT = 0.1  # https://web.dev/articles/cls
SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({type: "layout-shift", buffered: true});"""
FOR_VISITORS = ("/login", "/register", "/reset", "/nothing")
LISTS: tuple[str, ...] = (
    "/",
    "/new",
    "/jobs",
    "/schedules",
    "/reports",
    "/datasets",
    "/mailings",
    "/templates",
    "/senders",
)
LISTS += ("/suppressions", "/keys", "/inbox", "/account", "/files", "/docs")
FORMS: tuple[str, ...] = (
    "/new/email.send",
    "/new/data.process",
    "/schedules/new/report.build",
    "/reports/new",
    "/mailings/new",
)
FORMS += ("/templates/new", "/nothing")
ONE = re.compile(r"/(jobs|schedules|reports|datasets|mailings|templates|inbox)/[0-9a-f-]{12,}[^/]*")


@dataclass
class Found:
    """What one page weighs and does. `breaches` are those of WCAG that axe calls serious or critical."""

    path: str
    width: int
    sent: int
    requests: int
    shift: float
    breaches: list[str]
    impacts: Counter[str]


class Wire:
    """Counts what comes over the wire, by the browser's own account."""

    def __init__(self, session: CDPSession) -> None:
        self.sent = self.requests = 0
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def _finished(self, event: dict[str, Any]) -> None:
        self.sent += int(event["encodedDataLength"])
        self.requests += 1


def look(page: Page, wire: Wire, url: str, path: str) -> Found:
    wire.sent = wire.requests = 0
    page.goto(url + path, wait_until="networkidle" if path.startswith("/templates/") else "load")
    sent, requests = wire.sent, wire.requests
    width = page.evaluate("document.documentElement.scrollWidth")
    shift = page.evaluate("window.shifted")
    page.evaluate(AXE)
    violations = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")["violations"]
    bad = [f"{each['id']}: {node['html'][:200]}" for each in violations for node in each["nodes"] if grave(each)]
    impacts = Counter({each["impact"]: 0 for each in violations})
    for each in violations:
        impacts[each["impact"]] += len(each["nodes"])
    return Found(path, width, sent, requests, shift, bad, impacts)


def grave(violation: dict[str, Any]) -> bool:
    return violation["impact"] in {"serious", "critical"}


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.set_default_timeout(60_000)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert complaints == []


def faults(found: list[Found]) -> list[str]:
    said = [f"{each.path} is {each.width} px wide" for each in found if each.width > 390]
    said += [f"{each.path} sends {each.sent:,} bytes" for each in found if each.sent > MOST_BYTES]
    said += [f"{each.path} shifts by {each.shift:.3f}" for each in found if each.shift >= MOST_SHIFT]
    return said + [f"{each.path}: {breach}" for each in found for breach in each.breaches]


def table(found: list[Found]) -> str:
    lines = [f"{'page':58} {'bytes':>7} {'requests':>8} {'shift':>6}  axe"]
    lines += [
        f"{each.path:58} {each.sent:7,} {each.requests:8} {each.shift:6.3f}  {dict(each.impacts) or 'nothing'}"
        for each in found
    ]
    return "\n".join(lines)


def test_the_pages_of_a_visitor(phone: Page, site: Site) -> None:
    wire = Wire(phone.context.new_cdp_session(phone))
    found = [look(phone, wire, site.url, path) for path in FOR_VISITORS]
    print(table(found))
    assert all(each.requests >= 5 and each.sent > 10_000 for each in found), "the wire was not listened to"
    assert faults(found) == []


def test_axe_is_there_and_finds_what_is_wrong(phone: Page, site: Site) -> None:
    """Otherwise its silence would mean nothing."""
    phone.goto(f"{site.url}/login")
    phone.evaluate("document.querySelector('label').remove(); document.body.append(document.createElement('img'))")
    phone.evaluate(AXE)
    violations = phone.evaluate("axe.run()")["violations"]
    assert {"image-alt", "label"} <= {each["id"] for each in violations if grave(each)}


@pytest.mark.soak
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_person(phone: Page, site: Site, scheme: Any) -> None:
    """Some sixty pages: the lists with something in them and empty, each form, one of each thing."""
    phone.emulate_media(color_scheme=scheme)
    phone.goto(f"{site.url}/login")
    phone.fill("#email", site.ada.email)
    phone.fill("#password", site.ada.password)
    phone.click("main button")
    phone.wait_for_url(f"{site.url}/")
    wire = Wire(phone.context.new_cdp_session(phone))
    empty = [look(phone, wire, site.url, path) for path in LISTS] if scheme == "light" else []
    if scheme == "light":
        fill(site)
    things: dict[str, str] = {}
    found = []
    for path in LISTS:
        found.append(look(phone, wire, site.url, path))
        for link in phone.eval_on_selector_all("main a", "all => all.map((each) => each.getAttribute('href'))"):
            if match := ONE.fullmatch(link or ""):
                things.setdefault(f"{match[1]} {len(things) % 2 if match[1] == 'jobs' else ''}", link)
    found += [look(phone, wire, site.url, path) for path in (*FORMS, *things.values())]
    print(table(empty + found))
    assert {name.split()[0] for name in things} >= {"jobs", "schedules", "reports", "datasets", "templates", "inbox"}
    assert faults(empty + found) == []


def test_the_menu_opens_on_a_telephone_without_a_script(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/login")
    assert not page.locator("#menu").is_visible()
    page.get_by_role("button", name="Menu").press("Enter")
    page.locator("#menu").get_by_role("link", name="Register").click()
    assert page.url == f"{site.url}/register"
    context.close()
