"""Letters: what a mail says, made ready once for any number of recipients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app, render_template
from markupsafe import Markup, escape

from webapi.errors import Invalid
from webapi.services.addresses import one_line
from webapi.services.mail.markup import as_text, inlined
from webapi.services.mail.placeholders import PLACE, Missing, Text, check_link

UNSUBSCRIBE = "unsubscribe_url"  # a value that is ours to give
DOCUMENT = re.compile(r"\s*(<!doctype|<html)\b", re.IGNORECASE)
TITLE = re.compile(r"\s*<title>(.*?)</title>\s*", re.DOTALL)


@dataclass(frozen=True)
class Letter:
    """What a mail says, as its author wrote it. Without `text` the text part is made from the HTML.

    With `layout` the HTML stands in our frame, with the logo and the footer; a whole document is left as it is.
    A `literal` letter is no template: braces in it mean nothing.
    """

    subject: str
    text: str = ""
    html: str = ""
    layout: bool = False
    bulk: bool = False
    literal: bool = False


@dataclass(frozen=True)
class Said:
    """What one recipient reads."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Prepared:
    """A letter with its styles inlined and its text made, to be filled in for each recipient."""

    subject: Text
    text: Text
    html: Text | None
    links: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """The values that each recipient needs, ours left out."""
        found = [*self.subject.names, *(self.html.names if self.html else ()), *self.text.names]
        return tuple(name for name in dict.fromkeys(found) if name != UNSUBSCRIBE)

    @property
    def unsubscribes(self) -> bool:
        """Whether the letter itself shows the link by which its reader asks for no more."""
        return any(UNSUBSCRIBE in part.names for part in (self.subject, self.text, self.html) if part)

    def fill(self, values: Mapping[str, str]) -> Said:
        """The letter for one recipient. Raises Missing, and ValueError for a value that does not fit its place."""
        for name in self.links:
            if name in values:
                check_link(name, values[name])
        return Said(
            subject=one_line(self.subject.fill(values)),
            text=self.text.fill(values),
            html=self.html.fill(values, _escaped) if self.html else "",
        )


def prepare(letter: Letter) -> Prepared:
    """Make a letter ready. Raises Invalid with a sentence for braces that are no placeholder."""
    try:
        source, framed = Text(letter.html, letter.literal), _framed(letter)
        html = Text(inlined(framed), letter.literal) if framed else None
        return Prepared(
            subject=Text(one_line(letter.subject), letter.literal),
            text=Text(_text_of(letter), letter.literal),
            html=html,
            links=(*source.links, *(html.links if html else ())),
        )
    except ValueError as error:
        raise Invalid(f"The letter cannot be used: {error}.") from None


def check(letter: Letter, values: Mapping[str, str]) -> None:
    """Raises Invalid when a recipient with these values could not be written to, with the name of what is missing."""
    try:
        prepare(letter).fill({**values, UNSUBSCRIBE: "https://unsubscribe.invalid"})
    except Missing as error:
        raise Invalid(f"There is no value for {{{{{error.name}}}}}, which the template needs.") from None
    except ValueError as error:
        raise Invalid(f"The values do not fit: {error}.") from None


def built_in(name: str) -> Letter:
    """A mail of our own, from `templates/email/<name>.html`: its title is the subject."""
    loader = current_app.jinja_env.loader
    assert loader is not None
    source = loader.get_source(current_app.jinja_env, f"email/{name}.html")[0]
    title = TITLE.match(source)
    assert title is not None, f"email/{name}.html needs a <title>"
    return Letter(subject=title[1], html=source[title.end() :], layout=True)


def _framed(letter: Letter) -> str:
    if not letter.html or not letter.layout or DOCUMENT.match(letter.html):
        return letter.html
    config = current_app.config
    return render_template(
        "email/layout.html",
        content=Markup(letter.html),  # noqa: S704 # nosec B704 - its author's own HTML, shown in sandboxed frames only
        subject=PLACE.sub("", letter.subject),
        brand=config["MAIL_BRAND"],
        logo=config["MAIL_LOGO_URL"],
        footer=config["MAIL_FOOTER"],
        bulk=letter.bulk,
    )


def _text_of(letter: Letter) -> str:
    text = letter.text
    if letter.html and not text.strip():
        text = as_text(letter.html, literal=letter.literal)
    footer = [current_app.config["MAIL_FOOTER"]] if letter.layout and current_app.config["MAIL_FOOTER"] else []
    if letter.bulk and UNSUBSCRIBE not in text:
        footer.append(f"No more of these mails: {{{{{UNSUBSCRIBE}}}}}")
    return "\n".join([text.rstrip("\n"), *(["", "-- ", *footer] if footer else [])]) + "\n"


def _escaped(value: str) -> str:
    return str(escape(value))
