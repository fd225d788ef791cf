"""The menu: what whoever looks may go to, and where they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.blueprints.site import Browser, Site
from webapi.extensions import db
from webapi.models import Role, User
from webapi.models.transaction import writing

MENU = re.compile(r'<ul id="menu" popover>(.*?)</ul>', re.DOTALL)
LINK = re.compile(r'<a href="([^"]+)"(?: aria-current="(\w+)")?>([^<]+)</a>')


def menu(browser: Browser, path: str) -> dict[str, str]:
    """What is marked in the menu of a page, by label."""
    found = MENU.search(browser.get(path).text)
    assert found is not None
    return {label: here for _, here, label in LINK.findall(found[1])}


def test_a_visitor_may_sign_in_or_register(visitor: Browser) -> None:
    assert list(menu(visitor, "/login")) == ["Inbox", "Sign in", "Register"]
    assert menu(visitor, "/register")["Register"] == "page"


@pytest.mark.parametrize(
    ("path", "section", "here"),
    [
        ("/new", "New", "page"),
        ("/new/email.send", "New", "true"),
        ("/jobs", "Jobs", "page"),
        ("/jobs?state=failed", "Jobs", "page"),
        ("/schedules/new/report.build", "Schedules", "true"),
        ("/templates", "Mail", "true"),
        ("/suppressions", "Mail", "true"),
        ("/nothing", None, ""),
        ("/", None, ""),
    ],
)
def test_the_section_is_marked_on_all_of_its_pages(browser: Browser, path: str, section: str | None, here: str) -> None:
    marked = {label: current for label, current in menu(browser, path).items() if current}
    assert marked == ({section: here} if section else {})


@pytest.fixture
def administrator(site: Site) -> Iterator[Browser]:
    def become(admin: bool) -> None:
        with site.app.app_context(), writing() as session:
            session.get_one(User, site.ada.id).role = Role.ADMINISTRATOR if admin else Role.USER
        with site.app.app_context():
            db.session.remove()

    become(True)
    yield Browser(site.app, site.ada)
    become(False)


def test_only_an_administrator_is_led_to_the_system(site: Site, administrator: Browser) -> None:
    """And nobody to pages that this system does not have."""
    there = "system.index" in site.app.view_functions
    assert ("System" in menu(administrator, "/jobs")) is there
    assert "System" not in menu(Browser(site.app, site.eve), "/jobs")
