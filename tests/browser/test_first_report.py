"""From the first page to a report that is mailed as a PDF each month, as somebody new would go: by clicks alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.waiting import until

MOST_CLICKS = 13
WHO, PASSWORD = "lin@example.com", "a long enough one"


class Hand:
    """Clicks and fills fields, and counts both. It never types an address: what it finds is on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = self.fields = 0

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True).first)

    def fill(self, selector: str, value: str) -> None:
        self.page.fill(selector, value)
        self.fields += 1

    def choose(self, selector: str, value: str) -> None:
        self.page.select_option(selector, value)
        self.fields += 1

    def mail(self, subject: str) -> None:
        """Open the inbox, and it again until the mail is there."""
        self.link("Inbox")
        until(lambda: self._arrived(subject), what=f"the mail {subject!r}")
        self.click(self.page.get_by_role("link", name=subject).first)

    def _arrived(self, subject: str) -> bool:
        self.page.reload()
        return self.page.get_by_role("link", name=subject).count() > 0


def join(hand: Hand) -> None:
    """Register, confirm the address and sign in."""
    hand.link("Register")
    hand.fill("#name", "Lin")
    hand.fill("#email", WHO)
    hand.fill("#password", PASSWORD)
    hand.click(hand.page.locator("main button").first)
    hand.mail("Welcome to webapi")
    link = hand.page.frame_locator("iframe.mail").get_by_role("link", name="Confirm my address").get_attribute("href")
    hand.clicks += 1
    hand.page.goto(str(link))  # the frame opens its links in a window of its own
    hand.fill("#email", WHO)
    hand.fill("#password", PASSWORD)
    hand.click(hand.page.locator("main button").first)


def test_somebody_new_comes_to_a_monthly_report_by_mail(page: Page, site: Site) -> None:
    hand = Hand(page)
    page.goto(site.url)
    join(hand)
    hand.link("Reports")
    hand.link("jobs")
    hand.fill("#field-value-period", "last_month")
    hand.choose("#field-format", "pdf")
    hand.fill("#field-send_to", WHO)
    hand.click(page.get_by_text("Build it regularly"))
    hand.button("Set the schedule")
    expect(page.get_by_text("The schedule is set.")).to_be_visible()
    expect(page.locator("main")).to_contain_text("0 7 1 * *")
    hand.button("Run now")
    hand.mail("My jobs")
    expect(page.locator("dl.facts")).to_contain_text("jobs.pdf")
    assert hand.clicks <= MOST_CLICKS, f"{hand.clicks} clicks and {hand.fields} fields"
