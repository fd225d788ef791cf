"""Pages: the list of jobs, its query, and one act on many of them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from tests.blueprints.site import Browser, Site
from webapi.blueprints.job_lists import QUICK
from webapi.models import Effect
from webapi.models.transaction import writing
from webapi.services import job_lists as lists


def tagged(site: Site, count: int) -> tuple[str, list[str]]:
    """So many jobs with a tag of their own, the newest first."""
    tag = uuid4().hex
    return tag, [site.submit("data.process", {"data": 1}, tag=tag)["id"] for _ in range(count)][::-1]


def listed(page: str) -> list[str]:
    return re.findall(r'<td><a href="/jobs/([0-9a-f-]{36})">', page)


def test_the_list_goes_on_where_its_page_ended(site: Site, browser: Browser) -> None:
    tag, jobs = tagged(site, 5)
    found, path = [], f"/jobs?tag={tag}&limit=2"
    for _ in range(3):
        page = browser.get(path).text
        found.append(listed(page))
        following = re.search(r'<a href="([^"]+)" rel="next">', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert (found, path) == ([jobs[:2], jobs[2:4], jobs[4:]], "")


def test_the_list_is_filtered_by_kind_and_state(site: Site, browser: Browser) -> None:
    tag, jobs = tagged(site, 2)
    browser.post(f"/jobs/{jobs[0]}/cancel")
    assert listed(browser.get(f"/jobs?tag={tag}&state=cancelled").text) == jobs[:1]
    assert listed(browser.get(f"/jobs?tag={tag}&kind=data.process").text) == jobs
    assert "No job matches." in browser.get(f"/jobs?tag={tag}&kind=email.send").text


def test_the_older_parameters_are_shown_as_a_query(browser: Browser) -> None:
    page = browser.get("/jobs?state=failed&state=uncertain&tag=a+b").text
    assert 'value="state:failed,uncertain tag:&#34;a b&#34;"' in page


def test_a_query_is_a_link_that_somebody_can_share(site: Site, browser: Browser) -> None:
    tag, jobs = tagged(site, 3)
    assert listed(browser.get(f"/jobs?q=tag:{tag}+state:queued").text) == jobs
    assert listed(browser.get(f"/jobs?q={tag[:20]}").text) == jobs
    assert listed(browser.get(f"/jobs?q=tag:{tag}&limit=2").text) == jobs[:2]


@pytest.mark.parametrize("query", QUICK.values())
def test_a_quick_filter_can_be_read(browser: Browser, query: str) -> None:
    assert browser.get("/jobs", query_string={"q": query}).status_code == 200


def test_a_query_that_cannot_be_read_is_answered_on_the_page(browser: Browser) -> None:
    answer = browser.get("/jobs?q=state:done")
    assert answer.status_code == 400
    assert "There is no state &#39;done&#39;. States: cancelled" in answer.text
    assert 'value="state:done"' in answer.text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_no_text_is_an_error_of_ours(browser: Browser, text: str) -> None:
    for path in ("/jobs", "/jobs/rows", "/jobs/suggest"):
        assert browser.get(path, query_string={"q": text}).status_code in {200, 400}


def test_what_could_come_next_is_suggested(browser: Browser) -> None:
    options = browser.get("/jobs/suggest?q=kind:email.send+state:f").text
    assert re.findall(r'<option value="([^"]+)">', options) == ["kind:email.send state:failed"]


def test_links_narrow_what_is_shown(site: Site, browser: Browser) -> None:
    tag, _ = tagged(site, 1)
    page = browser.get(f"/jobs?q=state:queued+tag:{tag}").text
    assert f'href="/jobs?q=tag:{tag}+state:queued"' in page
    assert f'href="/jobs?q=state:queued+tag:{tag}+kind:data.process"' in page


def test_rows_that_go_on_ask_for_themselves_and_only_changes_are_sent(site: Site, browser: Browser) -> None:
    tag, jobs = tagged(site, 1)
    page = browser.get(f"/jobs?q=tag:{tag}").text
    assert f'hx-get="/jobs/rows?q=tag:{tag}&amp;limit=50"' in page
    first = browser.get(f"/jobs/rows?q=tag:{tag}")
    browser.post(f"/jobs/{jobs[0]}/cancel")
    changed = browser.get(f"/jobs/rows?q=tag:{tag}", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, "every 3s" in first.text, "every" in changed.text) == (200, True, False)
    none = browser.get("/jobs/rows?q=tag:nobody")
    again = browser.get("/jobs/rows?q=tag:nobody", headers={"If-None-Match": none.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def many(browser: Browser, **fields: Any) -> tuple[int, str]:
    answer = browser.post("/jobs/bulk", fields)
    return answer.status_code, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_chosen_jobs_are_cancelled_after_a_dry_run(site: Site, browser: Browser) -> None:
    tag, jobs = tagged(site, 3)
    browser.post(f"/jobs/{jobs[0]}/cancel")
    status, page = many(browser, act="cancel", id=jobs, q=f"tag:{tag}")
    assert (status, "Cancel 2 jobs?" in page, "1 job cannot: over already." in page) == (200, True, True)
    assert site.job(jobs[1]).state == "queued"
    assert many(browser, act="cancel", id=jobs[:2], q=f"tag:{tag}", sure="true")[0] == 303
    assert [site.job(job).state for job in jobs] == ["cancelled", "cancelled", "queued"]


def test_all_that_match_run_again_as_far_as_the_dry_run_saw_them(site: Site, browser: Browser) -> None:
    tag, jobs = tagged(site, 3)
    for job in jobs:
        browser.post(f"/jobs/{job}/cancel")
    answer = browser.post("/jobs/bulk", {"act": "replay", "every": "true", "q": f"tag:{tag}"})
    assert "Run 3 jobs again?" in answer.text
    later = site.submit("data.process", {"data": 1}, tag=tag)["id"]
    browser.post(f"/jobs/{later}/cancel")
    fields = {name: hidden(answer.text, name) for name in ("act", "q", "every", "until")}
    browser.post("/jobs/bulk", {**fields, "sure": "true"})
    assert [site.job(job).state for job in (*jobs, later)] == ["queued", "queued", "queued", "cancelled"]


def test_older_jobs_are_looked_at_in_further_steps(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag, jobs = tagged(site, 5)  # the newest first
    monkeypatch.setattr(lists, "LOOKED_THROUGH", 2)
    fields = {"act": "cancel", "every": "true", "q": f"tag:{tag} -id:{jobs[0]} -id:{jobs[1]} {tag}"}
    page = browser.post("/jobs/bulk", fields).text
    assert ("Nothing to do" in page, "Older ones have not been looked at yet." in page) == (True, True)
    page = browser.post("/jobs/bulk", {**fields, "further": hidden(page, "further")}).text
    page = browser.post("/jobs/bulk", {**fields, "until": hidden(page, "until"), "sure": "true"}).text
    assert "Cancel 1 job?" in page
    assert browser.post("/jobs/bulk", {**fields, "until": hidden(page, "until"), "sure": "true"}).status_code == 303
    assert [site.job(job).state for job in jobs] == ["queued"] * 2 + ["cancelled"] * 3


def test_a_dry_run_says_what_has_been_delivered_already(site: Site, browser: Browser) -> None:
    _, jobs = tagged(site, 2)
    for job in jobs:
        browser.post(f"/jobs/{job}/cancel")
    row = {"id": uuid4(), "job_id": UUID(jobs[0]), "effect_key": "a", "kind": "mail", "state": "done", "maybe": False}
    with site.app.app_context(), writing() as session:
        session.execute(insert(Effect), [row])
    _, page = many(browser, act="replay", id=jobs)
    assert "1 of them has already delivered part of its effects: 1 done, which are not repeated." in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"act": "cancel"}, "Choose at least one job"),
        ({"act": "cancel", "every": "true"}, "Name at least one filter"),
        ({"act": "cancel", "every": "true", "q": "state:done"}, "There is no state"),
        ({"act": "explode", "id": "x"}, "should be"),
    ],
)
def test_an_act_that_says_too_little_is_refused(browser: Browser, fields: dict[str, str], sentence: str) -> None:
    status, page = many(browser, **fields)
    assert status in {400, 422}
    assert sentence in page


def test_nobody_acts_on_the_jobs_of_others(site: Site) -> None:
    _, jobs = tagged(site, 1)
    eve = Browser(site.app, site.eve)
    status, page = many(eve, act="cancel", id=jobs, sure="true")
    assert (status, site.job(jobs[0]).state) == (303, "queued")
    assert page


def test_without_the_token_of_the_page_nothing_is_done(site: Site, browser: Browser) -> None:
    _, jobs = tagged(site, 1)
    answer = browser.client.post("/jobs/bulk", data={"act": "cancel", "id": jobs, "sure": "true"})
    assert (answer.status_code, site.job(jobs[0]).state) == (403, "queued")
