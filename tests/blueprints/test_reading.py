"""JSON is read strictly: what libraries disagree about is refused with a sentence, and never becomes a 500."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.blueprints.site import Site
from webapi.blueprints.json_text import check_json
from webapi.errors import Malformed


def nested(depth: int) -> str:
    """A value so many levels deep; the object around it is the first."""
    return "[" * (depth - 1) + "]" * (depth - 1)


def document(value: str) -> bytes:
    return f'{{"data": {value}}}'.encode()


MALFORMED = {
    "nothing": b"",
    "half": b'{"data": 1',
    "no JSON": b"data=1",
    "single quotes": b"{'data': 1}",
    "a comment": b'{"data": 1} // one',
    "a trailing comma": b'{"data": 1,}',
    "two documents": b'{"data": 1}{"data": 2}',
    "33 levels": document(nested(33)),
    "33 levels of objects": document('{"a":' * 32 + "1" + "}" * 32),
    "100,000 levels": document("[" * 100_000),
    "2**63": document(str(2**63)),
    "-2**63 - 1": document(str(-(2**63) - 1)),
    "2**64": document(str(2**64)),
    "an integer of 5,000 digits": document("9" * 5000),
    "1e400": document("1e400"),
    "-1e400": document("-1e400"),
    "1E+400 in a list": document("[1, 1E+400]"),
    "NaN": document("NaN"),
    "Infinity": document("Infinity"),
    "-Infinity": document("[-Infinity]"),
    "a name twice": b'{"data": 1, "data": 2}',
    "a name twice, once escaped": b'{"data": 1, "d\\u0061ta": 2}',
    "a name twice, deep inside": document('[{"a": {"b": 1, "b": 1}}]'),
    "half of a surrogate pair": document('"\\ud800"'),
    "the other half": document('"a\\udfffb"'),
    "halves in the wrong order": document('"\\udc00\\ud800"'),
    "half of a pair in a name": document('{"\\ud800": 1}'),
    "an escaped NUL": document('"\\u0000"'),
    "an escaped NUL in a name": document('{"a\\u0000": 1}'),
    "a NUL as it is": document('"\0"'),
    "a NUL after the end": b'{"data": 1}\0',
    "a line break in a string": document('"a\nb"'),
    "UTF-16": '{"data": 1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"data": 1}'.encode("utf-16-le"),
    "UTF-32": '{"data": 1}'.encode("utf-32"),
    "Latin-1": '{"data": "é"}'.encode("latin-1"),
    "an overlong byte sequence": b'{"data": "\xc0\xaf"}',
    "a byte order mark": b'\xef\xbb\xbf{"data": 1}',
}
WELL_FORMED: dict[str, Any] = {
    "32 levels": json.loads(nested(32)),
    "the largest integer": 2**63 - 1,
    "the least integer": -(2**63),
    "a tiny number": 5e-320,
    "a pair of surrogates": "\U0001f600",
    "the last character": "\U0010ffff",
    "line breaks": "a\r\nb\u2028c",
    "an empty name": {"": 1},
}


def post(site: Site, body: bytes, kind: str = "data.process") -> Any:
    headers = {**site.ada.headers, "Content-Type": "application/json"}
    return site.program.post(f"/api/v1/jobs/{kind}", data=body, headers=headers)


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_plain_json_is_400_with_a_sentence(site: Site, body: bytes) -> None:
    answer = post(site, body)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert answer.json["detail"].endswith(".")


@pytest.mark.parametrize("value", WELL_FORMED.values(), ids=WELL_FORMED)
def test_what_is_plain_json_is_accepted_and_kept(site: Site, value: Any) -> None:
    answer = post(site, json.dumps({"data": value}, ensure_ascii=False).encode())
    assert answer.status_code == 202
    assert answer.json["payload"]["data"] == value


@pytest.mark.parametrize("body", [b"[]", b"null", b"true", b'"data"', b"5", b"{}", b'[{"data": 1}]'])
def test_a_document_that_is_no_payload_is_422(site: Site, body: bytes) -> None:
    assert post(site, body).status_code == 422


@pytest.mark.parametrize("field", ["owner_id", "state", "attempt", "id", "Data", "__class__"])
def test_a_field_that_is_not_the_payloads_is_422_and_named(site: Site, field: str) -> None:
    answer = post(site, json.dumps({"data": 1, field: "x"}).encode())
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"pointer": f"/{field}", "message": "There is no such field."}]


@pytest.mark.parametrize("hours", [True, "5", 5.5, None, [5], 2**40, 0, -1])
def test_a_number_is_a_number_and_in_its_range(site: Site, hours: object) -> None:
    answer = post(site, json.dumps({"hours": hours}).encode(), "email.digest")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/hours"


def test_a_pointer_leads_to_the_place_in_a_list(site: Site) -> None:
    mail = {"to": ["ada@example.com", "nobody"], "subject": "Hello", "text": "Hi."}
    answer = post(site, json.dumps(mail).encode(), "email.send")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/to/1"]


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_json_or_refused_in_our_words(raw: bytes) -> None:
    with suppress(Malformed):
        check_json(raw)
        json.loads(raw)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc\"\\/é", max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_any_plain_value_is_taken(value: object) -> None:
    check_json(json.dumps(value).encode())
