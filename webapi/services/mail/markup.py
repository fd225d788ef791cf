"""HTML as its author wrote it, made ready for mail programs: the styles inside, and a text to read instead.

The libraries that read it have no limits of their own: a nesting without end ends the process, and a few kilobytes can
become gigabytes. So what could grow like that is refused before they see it.
"""

from __future__ import annotations

import re
from typing import Any

import css_inline
from html2text import HTML2Text

from webapi.services.mail.placeholders import PLACE

MOST_ELEMENTS = 10_000
DEEPEST_LIST = 50  # lists and quotations in one another; each line of a text begins with all of them
LARGEST_STYLES = 100_000_000  # characters, if each element took each style
MOST_COPIES = 500_000  # elements, if each that begins had each open format in it (the HTML standard's "reconstruct")
ELEMENT = re.compile(r"<[a-z]", re.IGNORECASE)
FORMAT = re.compile(r"<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.IGNORECASE)
# A format that is closed at once: nothing between could hide the end of it.
CLOSED = re.compile(
    r"""<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?:\s+[\w-]+(?:=(?:"[^"<>]*"|'[^'<>]*'))?)*\s*>"""
    r"[^<>]*</\1>",
    re.IGNORECASE,
)
STYLES = re.compile(r"<style.*</style|<style.*\Z", re.IGNORECASE | re.DOTALL)
BLANK_LINES = re.compile(r"\n\s*\n")
# What stands for a placeholder while a library reads the HTML: no text has these (Unicode section 23.7).
BEGIN, END = "\ufdd0", "\ufdd1"
STAND_INS = re.compile(f"{BEGIN}([^{END}]*){END}")


def inlined(html: str) -> str:
    """The HTML with its styles at its elements. Nothing is fetched. Raises ValueError for what would grow too large."""
    elements = len(ELEMENT.findall(html))
    if elements > MOST_ELEMENTS:
        raise ValueError(f"the HTML has more than {MOST_ELEMENTS:,} elements")
    styles = STYLES.search(html)
    if styles and len(styles[0]) * elements > LARGEST_STYLES:
        raise ValueError("the HTML has too many styles for so many elements")
    open_formats = len(FORMAT.findall(CLOSED.sub("", CLOSED.sub("", html))))
    if open_formats * elements > MOST_COPIES:
        raise ValueError("the HTML has too many formats in one another: close each <b>, <i> and <a>")
    return css_inline.inline(html, keep_at_rules=True, load_remote_stylesheets=False)


def as_text(html: str, *, literal: bool = False) -> str:
    """A readable text version of an HTML mail. Placeholders stay, unless `literal`: then there are none.

    Raises ValueError for lists or quotations that are nested too deeply, and as `inlined` does.
    """
    # Read as a browser reads it: what is never closed, and blank lines without end, would take the reader hours.
    html = BLANK_LINES.sub("\n\n", inlined(html))
    reader = _Reader(bodywidth=78)
    reader.ignore_images, reader.wrap_links = True, False
    if literal:
        return reader.handle(html).strip() + "\n"
    known = html.replace(BEGIN, "").replace(END, "")
    read = reader.handle(PLACE.sub(lambda place: f"{BEGIN}{place[1]}{END}", known))
    return STAND_INS.sub(r"{{\1}}", read).strip() + "\n"


class _Reader(HTML2Text):
    """It writes the marks of all lists and quotations before each line of what they hold."""

    def handle_tag(self, tag: str, attrs: dict[str, str | None], start: bool) -> Any:
        super().handle_tag(tag, attrs, start)
        if self.blockquote + len(self.list) > DEEPEST_LIST:
            raise ValueError(f"the HTML has more than {DEEPEST_LIST} lists or quotations in one another")
