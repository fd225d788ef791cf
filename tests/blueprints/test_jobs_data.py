"""`data.process` for people: its form without JSON, and the page that draws what came of it."""

from __future__ import annotations

import json
from typing import Any

from tests.blueprints.site import Browser, Site


def test_a_filter_is_looked_at_before_the_job_is_accepted(site: Site) -> None:
    def submit(text: str) -> Any:
        body = {"data": [{"a": 1}], "filter": text}
        return site.program.post("/api/v1/jobs/data.process", json=body, headers=site.ada.headers)

    assert submit("a > 0").status_code == 202
    refused = submit("a > 0) OR (true")
    assert (refused.status_code, refused.get_json(force=True)["errors"]) == (
        422,
        [{"pointer": "/filter", "message": 'The filter cannot be read: syntax error at or near ")".'}],
    )


def test_the_form_takes_lines_and_the_page_draws_what_came_of_it(site: Site, browser: Browser) -> None:
    name = "<script>alert(1)</script>"
    fields = {
        "data": json.dumps([{name: " x ", "n": number, "odd": "1,5"} for number in range(30)]),
        "types": "n = text\n\n odd = number:,",
        "rename": "n = the number",
        "keep": f"{name}\nn\nodd",
        "trim": "on",
        "filter": "odd > 1",
        "convert_to": "csv",
    }
    answer = browser.post("/new/data.process", fields)
    assert answer.status_code == 303, answer.text
    job_id = answer.location.rpartition("/")[2]
    while site.job(job_id).state == "queued":
        site.work("data.process")
    assert site.job(job_id).payload["types"] == {"n": "text", "odd": "number:,"}
    page = browser.get(answer.location).text
    assert "Trimmed 30 texts" in page
    assert '<svg class="bars"' in page
    assert "the number" in page
    assert name not in page.split("<h2>Payload")[0]
    assert ' style="' not in page


def test_a_line_that_is_no_pair_is_said_to_be_none(browser: Browser) -> None:
    page = browser.post("/new/data.process", {"data": "[1]", "types": "amount number"})
    assert page.status_code == 422
    assert "&#39;amount number&#39; has no =." in page.text
