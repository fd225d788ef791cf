"""One field, one address; nothing that would be another header."""

from __future__ import annotations

import pytest

from webapi.services.addresses import normal, one_line

NO_ADDRESS = [
    "",
    "nobody",
    "a@x.example, b@x.example",
    "friends: a@x.example, b@x.example;",
    "Ada <ada@x.example>",
    "<ada@x.example>",
    '"quoted local"@x.example',
    "ada@[127.0.0.1]",
    "ada@x.example\nBcc: eve@x.example",
    "ada@x.example\r",
    "ada\u2028@x.example",
    "ada\0@x.example",
    "a" * 65 + "@x.example",
    "ada@@x.example",
    "ada@x..example",
    "äda@x.example",
]


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is not one email address"):
        normal(text)


def test_a_domain_is_written_in_lower_case_and_ascii() -> None:
    assert normal("Ada@BÜCHER.example") == "Ada@xn--bcher-kva.example"


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\u2028b", "a\u2029b", "a\x85b", "a\x00b", "a\x1bb"])
def test_a_line_break_or_control_character_does_not_fit_into_a_line(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        one_line(text)


def test_a_line_may_hold_any_language() -> None:
    assert one_line("Grüße aus Zürich 🌍") == "Grüße aus Zürich 🌍"
