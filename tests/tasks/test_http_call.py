"""What `http.call` takes, and what it says before it does it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from webapi.blueprints.forms import fields_of
from webapi.tasks.http_call import HttpCall, only_effect

URL = "https://example.com/hook?a=1"
SORTS = ("headers", "secret_headers")


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"method": "GET"},
        {"method": "DELETE", "data": {"id": 1}},
        {"headers": {"Authorization": "Bearer a.b-c==", "X-Empty": "", "x-tab": "a\tb"}},
        {"headers": {f"X-{number}": "x" for number in range(30)}},
        {"headers": {"X-Long": "x" * 8000}},
        {"data": [1, None, {"ä": False}]},
        {"data": 0},
        {"data": "x" * 999_998},
        {"secret_headers": {"Authorization": "Bearer a.b-c=="}, "headers": {"X-Mine": "1"}},
        {"text": "x" * 200_000},
        {"expected_status": 404},
    ],
)
def test_a_call_that_can_be_made_is_taken(payload: dict[str, Any]) -> None:
    assert HttpCall.model_validate({"url": URL, **payload}, strict=True).url == URL


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"url": "http://user:pass@example.com/"}, "url"),
        ({"url": "http://example.com/\r\nX-Evil: 1"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://example.com/" + "a" * 2000}, "url"),
        ({"url": ""}, "url"),
        ({"method": "CONNECT"}, "method"),
        ({"method": "TRACE"}, "method"),
        ({"method": "post"}, "method"),
        ({"method": "GET / HTTP/1.1\r\nX:"}, "method"),
        ({"headers": {"X": "a\r\nY: b"}}, "headers"),
        ({"headers": {"X": "a\nb"}}, "headers"),
        ({"headers": {"X": "a\rb"}}, "headers"),
        ({"headers": {"X": "a\0b"}}, "headers"),
        ({"headers": {"X": "a\u2028b"}}, "headers"),
        ({"headers": {"X": "grüß"}}, "headers"),
        ({"headers": {"X": " a"}}, "headers"),
        ({"headers": {"X": "a\n"}}, "headers"),
        ({"headers": {"X\r\nY": "a"}}, "headers"),
        ({"headers": {"X:": "a"}}, "headers"),
        ({"headers": {"X ": "a"}}, "headers"),
        ({"headers": {"X\n": "a"}}, "headers"),
        ({"headers": {"": "a"}}, "headers"),
        ({"headers": {"X": 1}}, "headers"),
        ({"headers": {"X": None}}, "headers"),
        ({"headers": ["X: a"]}, "headers"),
        ({"headers": {"X": "a", "x": "b"}}, "headers"),
        ({"headers": {f"X-{number}": "x" for number in range(31)}}, "headers"),
        ({"headers": {"X": "x" * 8192}}, "headers"),
        ({"secret_headers": {"X": "a\r\nY: b"}}, "secret_headers"),
        ({"secret_headers": {"Host": "evil.example"}}, "secret_headers"),
        ({"secret_headers": {"X": 1}}, "secret_headers"),
        ({"data": "x" * 999_999}, "data"),
        ({"data": "\ud800"}, "data"),
        ({"expected_status": 99}, "expected_status"),
        ({"expected_status": 100}, "expected_status"),
        ({"expected_status": 600}, "expected_status"),
        ({"follow": True}, "follow"),
        ({"webhook_id": "x"}, "webhook_id"),
    ],
)
def test_anything_else_is_refused_where_it_is_wrong(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        HttpCall.model_validate({"url": URL, **payload})
    assert refused.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(
    "name",
    [
        "Host", "hOST", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
        "Expect", "Proxy-Authorization", "Proxy-Connection", "Accept-Encoding", "HTTP2-Settings",
        "Webhook-Id", "webhook-timestamp", "WEBHOOK-SIGNATURE",
    ],
)  # fmt: skip
def test_headers_that_frame_or_sign_the_request_are_ours(name: str) -> None:
    with pytest.raises(ValidationError, match="leave out"):
        HttpCall(url=URL, headers={name: "x"})


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"headers": {"X": "1"}, "secret_headers": {"x": "2"}}, "name each header once"),
        ({"headers": {"authorization": "1"}, "secret_headers": {"Authorization": "2"}}, "name each header once"),
        ({"headers": {"X": "x" * 5000}, "secret_headers": {"Y": "y" * 5000}}, "longer than 8192"),
        (
            {name: {f"{name}-{each}".replace("_", "-"): "x" for each in range(16)} for name in SORTS},
            "at most 30 headers",
        ),
    ],
)
def test_headers_and_secret_ones_are_sound_together(payload: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HttpCall(url=URL, **payload)


@pytest.mark.parametrize("name", ["Authorization", "authorization", "COOKIE", "X-Api-Key", "X-Auth-Token"])
def test_credentials_are_secret_wherever_they_are_written(name: str) -> None:
    call = HttpCall(url=URL, headers={name: "canary", "X-Mine": "1"}, secret_headers={"X-Other": "2"})
    assert (call.headers, call.secret_headers) == ({"X-Mine": "1"}, {name: "canary", "X-Other": "2"})
    assert call.as_call().headers == {name: "canary", "X-Mine": "1", "X-Other": "2"}
    assert HttpCall.model_validate_json(call.model_dump_json()) == call
    assert "canary" not in f"{call!r} {call.as_call()!r}"


@pytest.mark.parametrize(
    "payload", [{"data": 1, "text": "a"}, {"method": "GET", "data": 1}, {"method": "GET", "text": "a"}]
)
def test_a_call_has_one_body_or_none(payload: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="data"):
        HttpCall(url=URL, **payload)


@pytest.mark.parametrize(
    ("payload", "body", "sort"),
    [
        ({}, None, None),
        ({"data": {"b": 1, "a": "ü"}}, '{"b": 1, "a": "ü"}'.encode(), "application/json"),
        ({"data": False}, b"false", "application/json"),
        ({"text": "grüß"}, "grüß".encode(), "text/plain; charset=utf-8"),
        ({"text": "<a/>", "headers": {"content-type": "text/xml"}}, b"<a/>", "text/xml"),
    ],
)
def test_the_body_is_the_same_bytes_each_time(payload: dict[str, Any], body: bytes | None, sort: str | None) -> None:
    call = HttpCall(url=URL, **payload).as_call()
    named = {name.lower(): value for name, value in call.headers.items()}
    assert (call.body, named.get("content-type")) == (body, sort)


def test_the_only_effect_is_the_call_without_its_query() -> None:
    assert only_effect(HttpCall(url="https://EXAMPLE.com/hook?token=secret")) == ["POST https://example.com/hook"]
    (long,) = only_effect(HttpCall(url="https://example.com/" + "a" * 1900))
    assert len(long) == 320


def test_each_field_can_be_filled_in_on_a_form() -> None:
    drawn = {field.name: (field.widget, field.input_type, field.value) for field in fields_of(HttpCall)}
    assert drawn == {
        "url": ("input", "url", ""),
        "method": ("select", "text", "POST"),
        "headers": ("json", "text", "{}"),
        "secret_headers": ("json", "text", "{}"),
        "data": ("json", "text", ""),
        "text": ("text", "text", ""),
        "expected_status": ("input", "number", ""),
    }
