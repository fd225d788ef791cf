"""The list of jobs in a real browser: it is searched, it refreshes itself, and many are acted on at once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.kinds.faulty import Note
from webapi.queue import submit

HELD = """document.addEventListener("htmx:before:request", (event) => event.defaultPrevented && console.log("asked"))"""


def test_jobs_are_searched_with_suggestions_and_cancelled_after_a_dry_run(ada: Page, site: Site) -> None:
    with site.ada.app.app_context():
        for number in range(3):
            submit("test.note", Note(path=f"/nowhere/{number}"), owner_id=site.ada.id, delay=3600, tags=["many"])
    ada.goto(f"{site.url}/jobs")
    ada.locator("#q").press_sequentially("tag:ma")
    expect(ada.locator("#suggestions option[value='tag:many']")).to_have_count(1)
    ada.fill("#q", "tag:many")
    ada.press("#q", "Enter")
    expect(ada.locator("table.list tbody tr")).to_have_count(3)
    ada.get_by_role("checkbox", name="All on this page").check()
    ada.get_by_role("checkbox", name="Choose test.note").first.uncheck()
    ada.get_by_role("button", name="Cancel the chosen").click()
    expect(ada.locator("h1")).to_have_text("Cancel 2 jobs?")
    ada.get_by_role("button", name="Cancel 2 jobs").click()
    expect(ada.locator(".notice")).to_have_text("2 are cancelled or asked to stop.")
    expect(ada.locator("table.list .cancelled")).to_have_count(2)
    ada.get_by_role("button", name="Run again all that match").click()
    expect(ada.locator(".would")).to_contain_text("1 job cannot: not over yet.")


def test_the_list_follows_a_running_job_unless_it_is_told_not_to(ada: Page, site: Site, tmp_path: Path) -> None:
    note = Note(path=str(tmp_path / "note"))
    with site.ada.app.app_context():
        submit("test.slow", note, owner_id=site.ada.id, tags=["followed"])
    ada.goto(f"{site.url}/jobs?q=tag:followed")
    expect(ada.locator("table.list")).to_contain_text("50 %")
    ada.get_by_role("switch", name="Live").uncheck()
    Path(note.path + ".go").touch()
    with ada.expect_event("console", predicate=lambda said: said.text == "asked", timeout=10_000):
        ada.evaluate(HELD)
    expect(ada.locator("table.list .succeeded")).to_have_count(0)
    ada.get_by_role("switch", name="Live").check()
    expect(ada.locator("table.list .succeeded")).to_be_visible()
