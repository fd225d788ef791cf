"""Email addresses: one field, one address, in the form in which a mail server takes it."""

from __future__ import annotations

import re
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field

LINE_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


def normal(address: str) -> str:
    """The address with its domain in lower case and IDNA form.

    Raises ValueError with a sentence for anything but one plain address: lists, groups, display
    names, quoted local parts and IP literals included.
    """
    try:
        checked = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, allow_quoted_local=False,
            allow_domain_literal=False, test_environment=True,
            strict=True,
        )  # fmt: skip
    except EmailNotValidError as error:
        raise ValueError(f"this is not one email address: {error}") from None
    return checked.ascii_email or checked.normalized


def one_line(text: str) -> str:
    """The text, if it fits into one header line. Raises ValueError: a line break would begin another header."""
    if LINE_BREAKS.search(text):
        raise ValueError("use one line, without line breaks or control characters")
    return text


Address = Annotated[str, Field(max_length=320, json_schema_extra={"format": "email"}), AfterValidator(normal)]
Line = Annotated[str, AfterValidator(one_line)]
