"""`callback_url` for programs and on the form: taken, shown, or refused with a sentence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.blueprints.site import Browser, Site
from webapi.extensions import db
from webapi.models import Job
from webapi.services.jobs import LONGEST_URL

URL = "https://hooks.example/over?token=t"
REFUSED = [
    ("", "at least 1 character"),
    ("hooks.example", "This is not a URL"),
    ("ftp://hooks.example/", "Use an http:// or https:// URL"),
    ("http://user:pass@hooks.example/", "Leave the user and the password out"),
    ("http://hooks.example/\r\nX-Evil: 1", "no spaces, line breaks"),
    ("http://hooks.example:6379/", "Port 6379 is not one that this server calls"),
    ("http://127.0.0.1/", "private or reserved network"),
    ("http://2130706433/", "private or reserved network"),
    ("http://[::ffff:169.254.169.254]/", "private or reserved network"),
    ("http://[64:ff9b::a00:1]/", "private or reserved network"),
    ("https://hooks.example/" + "a" * LONGEST_URL, "at most 2000 characters"),
    ("https://hooks.example/" + "ä" * 1000, "at most 2000 characters"),
]


def submit(site: Site, kind: str = "data.process", payload: Any = None, **query: Any) -> tuple[int, dict[str, Any]]:
    path = f"/api/v1/jobs/{kind}"
    answer = site.program.post(
        path, json={"data": [1]} if payload is None else payload, query_string=query, headers=site.ada.headers
    )
    return answer.status_code, answer.get_json(force=True)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [("data.process", {"data": [1]}), ("report.build", {}), ("http.call", {"url": "https://example.com/"})],
)
def test_any_job_takes_one_and_shows_it(site: Site, kind: str, payload: dict[str, Any]) -> None:
    status, job = submit(site, kind, payload, callback_url="HTTPS://Hooks.Example/over?token=t#part")
    assert (status, job["callback_url"]) == (202, URL)
    assert URL in Browser(site.app, site.ada).get(f"/jobs/{job['id']}").text


@pytest.mark.parametrize(("url", "words"), REFUSED)
def test_what_may_not_be_called_is_refused_with_a_sentence_and_no_job(site: Site, url: str, words: str) -> None:
    status, problem = submit(site, callback_url=url, tag="refused-callback")
    assert status in {400, 422}
    assert words in problem["detail"]
    assert problem["errors"][0]["pointer"] == "/callback_url"
    with site.app.app_context():
        assert not [job for job in db.session.query(Job) if "refused-callback" in job.tags]


def test_it_is_given_once(site: Site) -> None:
    status, problem = submit(site, callback_url=[URL, URL])
    assert (status, problem["detail"]) == (400, "callback_url: give it once.")


def test_the_same_key_with_another_callback_is_another_request(site: Site) -> None:
    def ask(url: str) -> int:
        headers = {**site.ada.headers, "Idempotency-Key": "callback-key-1"}
        path = f"/api/v1/jobs/data.process?callback_url={url}"
        return site.program.post(path, json={"data": [1]}, headers=headers).status_code

    assert [ask("https://a.example/"), ask("https://a.example/"), ask("https://b.example/")] == [202, 202, 422]


def test_the_form_takes_one_and_says_what_is_wrong_with_it(browser: Browser, site: Site) -> None:
    wrong = browser.post("/new/data.process", {"data": "[1]", "callback_url": "http://10.0.0.1/x"})
    assert wrong.status_code == 422
    assert "private or reserved network" in wrong.text
    assert 'value="http://10.0.0.1/x"' in wrong.text, "what was typed is still there"
    right = browser.post("/new/data.process", {"data": "[1]", "callback_url": f" {URL} "})
    page = browser.get(right.location or "").text
    assert f"{URL}</code> is told" in page


def test_the_page_of_a_job_that_is_over_leads_to_its_call(browser: Browser, site: Site) -> None:
    _, job = submit(site, callback_url=URL)
    assert browser.post(f"/jobs/{job['id']}/cancel").status_code == 303
    with site.app.app_context():
        (call,) = db.session.query(Job).filter_by(parent_id=UUID(job["id"]))
        assert f'href="/jobs/{call.id}">cancelled, told' in browser.get(f"/jobs/{job['id']}").text


def test_openapi_tells_what_is_sent(site: Site) -> None:
    spec = site.program.get("/api/v1/openapi.json", headers=site.ada.headers).get_json()
    post = spec["paths"]["/api/v1/jobs/email.send"]["post"]
    assert "callback_url" in [each["name"] for each in post["parameters"]]
    (told,) = post["callbacks"]["over"].values()
    schema = told["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = spec["components"]["schemas"][schema.rpartition("/")[2]]["properties"]
    assert {"id", "kind", "state", "result", "error", "seq", "finished_at"} <= set(fields)
    assert "payload" not in fields
