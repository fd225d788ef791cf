"""What `email.send` takes, and what it says before it does it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from webapi.tasks.email_send import Email, recipients

MAIL: dict[str, Any] = {"to": ["bob@example.com"], "subject": "Hello", "text": "Hi."}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": "", "html": "<p>Hi.</p>"},
        {"to": [f"b{number}@example.com" for number in range(50)]},
        {"subject": "x" * 200},
        {"subject": "a\tb"},
        {"reply_to": "ada@example.com"},
        {"text": "x" * 200_000},
    ],
)
def test_a_mail_that_says_something_to_somebody_is_taken(changes: dict[str, Any]) -> None:
    assert Email.model_validate({**MAIL, **changes}, strict=True).subject


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": []}, "to"),
        ({"to": [f"b{number}@example.com" for number in range(51)]}, "to"),
        ({"to": ["a@example.com, b@example.com"]}, "to"),
        ({"to": "bob@example.com"}, "to"),
        ({"subject": ""}, "subject"),
        ({"subject": "x" * 201}, "subject"),
        ({"subject": "Hello\r\nBcc: eve@example.com"}, "subject"),
        ({"subject": "Hello\u2028Bcc: eve@example.com"}, "subject"),
        ({"subject": "Hello\0"}, "subject"),
        ({"reply_to": "ada@example.com\nBcc: eve@example.com"}, "reply_to"),
        ({"text": "x" * 200_001}, "text"),
        ({"from": "boss@example.com"}, "from"),
        ({"sender": "boss"}, "sender"),
    ],
)
def test_anything_else_is_refused_where_it_is_wrong(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Email.model_validate({**MAIL, **changes})
    assert refused.value.errors()[0]["loc"][0] == field


def test_a_mail_without_words_is_refused() -> None:
    with pytest.raises(ValidationError, match="give a text, or HTML, or both"):
        Email.model_validate({**MAIL, "text": ""})


def test_a_mail_has_words_of_its_own_or_a_template_and_not_both() -> None:
    with pytest.raises(ValidationError, match="give a subject, or the name of a template"):
        Email.model_validate({"to": MAIL["to"], "text": "x"})
    with pytest.raises(ValidationError, match="not both"):
        Email.model_validate({**MAIL, "template": "invoice"})
    assert Email.model_validate({"to": MAIL["to"], "template": "invoice"}).template == "invoice"


def test_the_effects_are_the_addresses_as_they_are_mailed() -> None:
    assert recipients(Email(to=["Bob@BÜCHER.example"], subject="s", text="t")) == ["Bob@xn--bcher-kva.example"]
