"""An answer that repeats a secret is kept without it, however the service writes it."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest

from webapi.services.echoes import blotted
from webapi.services.http import Answer

TOKEN = 's3cr3t/"<&token>'
SECRETS = [f"Bearer {TOKEN}", "short", ""]


def cleaned(body: str | None, **headers: str) -> Answer:
    return blotted(Answer(200, headers, body, truncated=False, seconds=0.1), SECRETS)


@pytest.mark.parametrize(
    "echo",
    [TOKEN, f"Bearer {TOKEN}", json.dumps(TOKEN), html.escape(TOKEN), quote(TOKEN, safe=""), f"{TOKEN}{TOKEN}"],
    ids=["plain", "with its scheme", "JSON", "HTML", "URL", "twice"],
)
def test_a_secret_is_blotted_out_of_the_body_and_of_the_headers(echo: str) -> None:
    answer = cleaned(f"You sent {echo}; thanks.", location=f"/a?t={echo}")
    assert "s3cr3t" not in f"{answer.body}{answer.headers}"
    assert (answer.body or "").startswith("You sent ")
    assert (answer.body or "").endswith("; thanks.")


def test_the_first_part_of_a_secret_at_the_end_of_a_cut_body_goes_too() -> None:
    assert cleaned(f"You sent {TOKEN[:9]}").body == "You sent …"
    assert cleaned(f"You sent Bearer {TOKEN[:9]}").body == "You sent …"


@pytest.mark.parametrize(
    "echo",
    [
        '{"t": "abc\\/def+ghi="}',
        '{"t": "abc/def\\u002Bghi="}',
        '{"t": "abc/def\\u002bghi="}',
        '{"session": "S3cretValue1"}',
    ],
    ids=["PHP", "NET", "lower case", "a cookie by its name"],
)
def test_other_writers_of_json_hide_no_secret(echo: str) -> None:
    secrets = ["abc/def+ghi=", "theme=dark; session=S3cretValue1"]
    body = blotted(Answer(200, {}, echo, truncated=False, seconds=0.1), secrets).body or ""
    assert not any(part in body for part in ("abc", "ghi", "S3cret"))


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    assert cleaned("in short, s3").body == "in short, s3"


@pytest.mark.parametrize("body", [None, "", "nothing of it"])
def test_any_other_answer_is_as_it_was(body: str | None) -> None:
    assert cleaned(body, etag='"1"') == Answer(200, {"etag": '"1"'}, body, truncated=False, seconds=0.1)
