"""What an administrator does on the system page, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.conftest import Person
from tests.kinds.faulty import Note
from webapi.extensions import db
from webapi.models import Role, User
from webapi.models.transaction import writing
from webapi.queue import submit


@pytest.fixture(scope="module")
def grace(site: Site) -> Person:
    person = Person(site.ada.app, "grace@example.com")
    with person.app.app_context(), writing():
        db.session.get_one(User, person.id).role = Role.ADMINISTRATOR
    return person


@pytest.fixture
def admin(page: Page, site: Site, grace: Person) -> Page:
    """A page on which an administrator is signed in."""
    page.goto(f"{site.url}/login")
    page.fill("#email", grace.email)
    page.fill("#password", grace.password)
    page.click("main button")
    page.wait_for_url(f"{site.url}/")
    return page


def test_an_administrator_sees_who_works_pauses_a_kind_and_audits_the_ledger(
    admin: Page, site: Site, tmp_path: Path
) -> None:
    note = Note(path=str(tmp_path / "note"))
    with site.ada.app.app_context():
        job_id = submit("test.slow", note, owner_id=site.ada.id).id
    admin.get_by_role("link", name="System").click()
    workers = admin.get_by_role("table", name="Workers")
    expect(workers).to_contain_text("lives")
    expect(workers).to_contain_text(str(job_id), timeout=15_000)
    expect(admin.get_by_role("table", name="What others run")).to_contain_text("The mail server answers.")
    Path(note.path + ".go").touch()
    expect(workers).not_to_contain_text(str(job_id), timeout=15_000)

    admin.get_by_role("link", name="Pause data.process").focus()
    admin.keyboard.press("Enter")
    admin.get_by_role("button", name="Pause data.process").press("Enter")
    expect(admin.locator("#verdict")).to_contain_text("kinds")
    expect(admin.get_by_role("table", name="Kinds with jobs or a pause")).to_contain_text("by Grace")
    admin.get_by_role("link", name="Resume data.process").click()
    admin.get_by_role("button", name="Resume data.process").click()

    admin.get_by_role("button", name="Run the audit").click()
    expect(admin.locator("#holds")).to_contain_text("an accepted job goes on", timeout=15_000)
    expect(admin.get_by_role("button", name="Run the audit")).to_be_visible()


def test_the_focus_stays_where_it_is_while_the_page_refreshes(admin: Page, site: Site) -> None:
    admin.goto(f"{site.url}/system")
    as_of = admin.locator("#now time").first.inner_text()
    admin.get_by_role("link", name="Pause data.process").focus()
    expect(admin.locator("#now time").first).not_to_have_text(as_of, timeout=15_000)
    expect(admin.get_by_role("link", name="Pause data.process")).to_be_focused()


def test_when_the_database_goes_away_the_last_look_stays_and_the_reason_is_said(admin: Page, site: Site) -> None:
    admin.goto(f"{site.url}/system")
    body = '<main id="content"><h1>Service Unavailable</h1><p>The database cannot be reached.</p></main>'
    admin.route("**/system", lambda route: route.fulfill(status=503, content_type="text/html", body=body))
    expect(admin.get_by_role("alert")).to_contain_text("The database cannot be reached.", timeout=15_000)
    expect(admin.get_by_role("table", name="Workers")).to_contain_text("lives")
    admin.unroute("**/system")
    expect(admin.locator("#trouble")).to_be_empty(timeout=15_000)


def test_the_page_fits_a_telephone(admin: Page, site: Site) -> None:
    admin.set_viewport_size({"width": 390, "height": 800})
    for path in ("/system", "/system/outside", "/system/kind?name=email.send"):
        admin.goto(site.url + path)
        width = admin.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} px wide"
