"""A form is drawn from a payload, and what it sends is read as strictly as JSON."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from werkzeug.test import TestResponse

from tests.blueprints.site import Browser, Site
from webapi.blueprints.forms import fields_of
from webapi.errors import Fault
from webapi.services.storage import UploadId


class Inner(BaseModel):
    x: int = 1


class Everything(BaseModel):
    """One field of each sort."""

    title: str = Field(min_length=1, max_length=80)
    body: str = Field("", json_schema_extra={"multiline": True})
    count: int = Field(3, ge=1, le=9)
    ratio: float = 0.5
    exact: bool = False
    day: date | None = None
    mode: Literal["fast", "good"] = "good"
    names: list[str] = []
    file: UploadId | None = None
    tree: Any = Field(None, examples=[{"a": "…"}])
    inner: Inner = Inner()
    reply_to: str | None = Field(None, title="Reply to", description="Where answers go.")


def drawn(**options: Any) -> dict[str, Any]:
    return {field.name: field for field in fields_of(Everything, **options)}


def test_each_sort_of_field_is_drawn_as_what_it_is() -> None:
    widgets = {name: (field.widget, field.input_type) for name, field in drawn().items()}
    assert widgets == {
        "title": ("input", "text"), "body": ("text", "text"), "count": ("input", "number"),
        "ratio": ("input", "number"), "exact": ("checkbox", "text"), "day": ("input", "date"),
        "mode": ("select", "text"), "names": ("lines", "text"), "file": ("file", "text"), "tree": ("json", "text"),
        "inner": ("json", "text"), "reply_to": ("input", "text"),
    }  # fmt: skip


def test_limits_defaults_and_words_are_drawn_too() -> None:
    fields = drawn()
    assert (fields["title"].required, fields["title"].attributes) == (True, {"minlength": 1, "maxlength": 80})
    assert (fields["count"].value, fields["count"].attributes) == ("3", {"min": 1, "max": 9})
    assert (fields["mode"].value, fields["mode"].choices) == ("good", ["fast", "good"])
    assert (fields["reply_to"].label, fields["reply_to"].help) == ("Reply to", "Where answers go.")
    assert fields["body"].label == "Body"


def test_json_is_asked_for_with_an_example() -> None:
    assert (drawn()["tree"].attributes, drawn()["inner"].attributes) == ({"placeholder": '{"a": "…"}'}, {})


def test_what_was_given_and_what_was_wrong_with_it_are_drawn_again() -> None:
    faults = (Fault("/names/1", "No."), Fault("/title", "Too long."))
    fields = drawn(given={"title": "x" * 99}, faults=faults)
    assert (fields["title"].value, fields["title"].faults) == ("x" * 99, ["Too long."])
    assert (fields["names"].faults, fields["count"].faults) == (["No."], [])


def send(browser: Browser, kind: str, **fields: Any) -> TestResponse:
    return browser.post(f"/new/{kind}", fields, content_type="multipart/form-data")


def payload_of(site: Site, answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 303, answer.text
    return site.job((answer.location or "").rpartition("/")[2]).payload


def test_a_mail_is_read_from_its_fields(site: Site, browser: Browser) -> None:
    answer = send(browser, "email.send", to="a@example.com\r\n\r\n b@example.com ", subject="Hello", text="Hi.\r\nBye.")
    assert payload_of(site, answer) == {
        "to": ["a@example.com", "b@example.com"],
        "subject": "Hello",
        "text": "Hi.\nBye.",
        "html": "",
        "template": None,
        "values": {},
        "attachments": [],
        "artifacts": [],
        "sender": None,
        "reply_to": None,
    }


def test_a_file_is_kept_and_its_job_reads_it(site: Site, browser: Browser) -> None:
    file = (io.BytesIO(b"city,sales\nBern,12\nBasel,9\n"), "../sales.csv", "text/csv")
    answer = send(browser, "data.process", file=file)
    payload = payload_of(site, answer)
    site.work("data.process")
    done = site.job((answer.location or "").rpartition("/")[2])
    assert payload["data"] is None
    assert done.result is not None
    assert (done.state, done.result["rows"]) == ("succeeded", 2)
    assert [column["name"] for column in done.result["columns"]] == ["city", "sales"]


def test_a_file_field_that_was_left_empty_is_not_given(site: Site, browser: Browser) -> None:
    answer = send(browser, "data.process", data="[1, 2]", file=(io.BytesIO(b""), ""))
    payload = payload_of(site, answer)
    assert (payload["data"], payload["file"]) == ([1, 2], None)


BAD_JSON = {
    "not JSON": "{",
    "33 levels": "[" * 40 + "]" * 40,
    "100,000 levels": "[" * 100_000,
    "1e400": "1e400",
    "NaN": "NaN",
    "Infinity": "[Infinity]",
    "2**64": str(2**64),
    "an escaped NUL": '"\\u0000"',
    "half of a surrogate pair": '"\\ud800"',
    "a name twice": '{"a": 1, "a": 2}',
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON)
def test_json_in_a_field_is_read_like_json_in_a_body(browser: Browser, text: str) -> None:
    answer = send(browser, "data.process", data=text)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_a_nul_in_a_text_is_refused(browser: Browser) -> None:
    assert send(browser, "email.send", to="a@example.com", subject="Hello", text="a\0b").status_code == 400


MAIL = {"to": "a@example.com", "subject": "s", "text": "t"}
FAULTS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("email.send", {**MAIL, "subject": ""}, {"to": ["a@example.com"], "text": "t"}),
    ("email.send", {**MAIL, "to": "nobody"}, {**MAIL, "to": ["nobody"]}),
    ("email.send", {**MAIL, "text": ""}, {"to": ["a@example.com"], "subject": "s"}),
    ("email.send", {**MAIL, "subject": "x" * 201}, {**MAIL, "to": ["a@example.com"], "subject": "x" * 201}),
    ("email.send", {**MAIL, "subject": "a\u2028b"}, {**MAIL, "to": ["a@example.com"], "subject": "a\u2028b"}),
    ("email.digest", {"hours": "0"}, {"hours": 0}),
    ("email.digest", {"hours": "999"}, {"hours": 999}),
    ("report.build", {"format": "doc"}, {"format": "doc"}),
    ("data.process", {}, {}),
]


@pytest.mark.parametrize(("kind", "fields", "body"), FAULTS)
def test_a_form_and_json_give_the_same_sentence_for_the_same_fault(
    site: Site, browser: Browser, kind: str, fields: dict[str, str], body: dict[str, Any]
) -> None:
    page = send(browser, kind, **fields)
    problem = site.program.post(f"/api/v1/jobs/{kind}", json=body, headers=site.ada.headers)
    shown = re.findall(r'<strong class="fault">(.*?)</strong>', page.text)
    said = [error["message"] for error in problem.get_json(force=True)["errors"]]
    assert (page.status_code, problem.status_code) == (422, 422)
    assert [text.replace("&#39;", "'").replace("&#34;", '"') for text in shown] == said


def test_what_was_typed_is_still_there_after_a_fault(browser: Browser) -> None:
    page = send(browser, "email.send", to="nobody", subject='"><script>alert(1)</script>', text="A long text.").text
    assert "A long text.</textarea>" in page
    assert "&#34;&gt;&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_a_call_is_read_from_its_fields_and_its_secrets_are_not_shown_again(site: Site, browser: Browser) -> None:
    headers = {"headers": '{"X-Source": "shop"}', "secret_headers": '{"Authorization": "canary"}'}
    answer = send(browser, "http.call", url="https://example.com/", data="[1]", **headers)
    kept = payload_of(site, answer)
    assert set(kept.pop("secret_headers")) == {"Authorization"}
    assert kept == {
        "url": "https://example.com/", "method": "POST", "headers": {"X-Source": "shop"}, "data": [1],
        "text": "", "expected_status": None,
    }  # fmt: skip
    page = browser.get(answer.location or "").text
    assert "Authorization" in page
    assert "X-Source" in page
    assert "canary" not in page
    body = site.program.get(f"/api/v1{answer.location}", headers=site.ada.headers).get_json()
    assert body["payload"]["secret_headers"] == {"Authorization": "***"}


@pytest.mark.parametrize("headers", ["x", '["X: y"]', '{"Host": "evil.example"}', '{"X": "a\\r\\nb"}', '{"X": 1}'])
def test_what_is_wrong_with_a_header_is_said_at_its_field(browser: Browser, headers: str) -> None:
    answer = send(browser, "http.call", url="https://example.com/", headers=headers)
    assert answer.status_code == 422
    assert re.search(r'<small id="help-headers"><strong class="fault">', answer.text), answer.text
