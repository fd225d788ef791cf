"""Text that a format can hold, and that nobody takes for a formula."""

from __future__ import annotations

import re
from typing import Any

# A spreadsheet would run what begins with one of these, or drops it and runs what follows: controls, a byte
# order mark, and the wide forms that East Asian spreadsheets take for the narrow ones.
FORMULA = frozenset([*"=+-@＝＋－＠\ufeff", *map(chr, range(0x20))])
LONE = re.compile("[\ud800-\udfff]")
# XML has no place for the controls and the two non-characters.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
LINE_END = re.compile("\r\n?|\u2028|\u2029")


def inert(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return "'" + value if isinstance(value, str) and value[:1] in FORMULA else value


def encodable(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which UTF-8 cannot hold."""
    return LONE.sub("\ufffd", text)


def visible(text: str) -> str:
    """The text for XML, HTML and pages: U+FFFD for each control, and every end of a line as one \\n."""
    return UNSEEN.sub("\ufffd", LINE_END.sub("\n", text)) if not text.isprintable() else text


def cut(text: str, most: int) -> str:
    """At most so many UTF-16 units, which is what spreadsheets count; a cut text ends with an ellipsis."""
    if len(text) * 2 <= most or len(text) + sum(character > "\uffff" for character in text) <= most:
        return text
    kept = text[: most - 1].encode("utf-16-le")[: 2 * (most - 1)]
    return kept.decode("utf-16-le", "ignore") + "…"
