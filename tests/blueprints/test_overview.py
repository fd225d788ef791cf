"""The first page as its owner sees it."""

from __future__ import annotations

import html
import json
import re
import shlex
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.blueprints.site import Browser, Site
from tests.conftest import Person
from webapi.models import Job, State
from webapi.models.transaction import writing
from webapi.services import keys
from webapi.services.overview import first_id

CURL = re.compile(r'<pre class="curl" tabindex="0"><code>(.*?)</code></pre>', re.DOTALL)
LISTS = ["/", "/jobs", "/schedules", "/reports", "/datasets", "/mailings", "/templates", "/senders", "/suppressions"]
LISTS += ["/keys", "/inbox"]


def test_failures_are_told_by_their_cause_with_a_way_to_them(site: Site, browser: Browser) -> None:
    at = datetime.now(UTC)
    with site.app.app_context(), writing() as session:
        for number in range(12):
            session.add(
                Job(
                    id=UUID(int=first_id(at).int + number), owner_id=site.ada.id, kind="http.call", payload={},
                    queue="default", state=State.FAILED, attempt_budget=1, run_at=at, created_at=at, finished_at=at,
                    error_code="timeout", error_public=f"https://example.com/{number} did not <answer>.",
                )
            )  # fmt: skip
    page = browser.get("/").text
    assert "12 failed jobs in 7 days, 1 cause" in page
    assert "https://example.com/11 did not &lt;answer&gt;." in page
    (link,) = re.findall(r'<a href="([^"]+)"><strong>12</strong> jobs</a>', page)
    assert browser.get(html.unescape(link)).text.count('aria-label="Choose http.call failed') == 12


def test_the_charts_have_a_table_for_who_cannot_see_them(site: Site, browser: Browser) -> None:
    site.submit("data.process", {"file": None, "data": 1})
    page = browser.get("/").text
    assert page.count('<th scope="row" data-value="') == 24
    assert 'data-zone="UTC"' in page


@pytest.fixture
def newcomer(site: Site, request: pytest.FixtureRequest) -> Person:
    """Somebody who has nothing yet."""
    name = re.sub(r"\W+", "-", request.node.name)
    return Person(site.app, f"{name}@example.com"[:120])


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_what_it_is_for_and_its_curl_line_works(site: Site, newcomer: Person, path: str) -> None:
    """What the page shows is sent as it stands, with a key of theirs."""
    with site.app.app_context():
        for each in keys.of(newcomer.row):
            keys.revoke(newcomer.row, each.id)
    page = Browser(site.app, newcomer).get(path).text
    with site.app.app_context():
        key = keys.create(newcomer.row, "the first")
    assert '<article class="empty">' in page
    (line,) = CURL.findall(page)
    _, url, *words = shlex.split(html.unescape(line).replace("$KEY", key).replace("\\\n", ""))
    headers, body = dict[str, str](), None
    for option, value in zip(words[::2], words[1::2], strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        else:
            body = b"email,amount\nada@example.com,1\n" if value.startswith("@") else value.encode()
    sent = site.program.open(url.partition("5000")[2], method="POST" if body else "GET", headers=headers, data=body)
    assert sent.status_code in {200, 201, 202}, sent.text
    assert body is None or body.startswith(b"email") or json.loads(body)
