"""Hundreds of messages, each read by two strict readers, and each says what it was to say."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import BASE
from tests.services.mail.strict import READ, read, unlined
from tests.smtp_server import SmtpServer, smtp_server
from webapi import create_app
from webapi.services.addresses import LINE_BREAKS
from webapi.services.mail.letters import Letter, prepare
from webapi.services.mail.mailer import Errand, deliver
from webapi.services.mail.message import Attachment, Envelope, Press

BOB, ID = "bob@example.com", "<0190-a.b@example.com>"
WORDS = [
    "Hello", "Grüße aus Zürich", "Привет, мир", "こんにちは世界", "你好，世界", "안녕하세요", "مرحبا بالعالم",
    "שלום עולם", "Γειά σου Κόσμε", "नमस्ते दुनिया", "สวัสดีชาวโลก", "გამარჯობა", "Բարեւ", "ሰላም ልዑል", "🌍🚀👩‍👩‍👧‍👦🏳️‍🌈",
    "a\u0301\u0323e\u0308\u0330" * 20, "\u202eevil\u202c", "\u200f\u200e\u2066x\u2069", "\ufeffbom", "a\u00adb\u200bc",
    "x" * 300, "ü" * 300, "🌍" * 100, "w " * 150, " leading", "trailing ", "\ttab\t", "a  b   c", "=?utf-8?q?x?=",
    "=3D=20=", "?=", "=", "a=?b", ".", "..", "...dots", "From here on", ">From", "--", "-- ", "--boundary--",
    "Subject: no", "{{name}}", "{{{", "}}", "{% x %}", "x0markto0x", "%s %(x)s", "\\n\\", '"quoted"', "a, b; c: d <e>",
    "<b>&amp;</b>", "<script>alert(1)</script>", "]]>", "(comment", "@", "ﬁ ﷺ", "\U0010ffff\ue000", "'", "`$(x)`",
]  # fmt: skip
TEXTS = [*WORDS, ".\n", "\r\n.\r\n", "a\rb\nc\r\nd", "\n\n\na", "From a\nFrom b\n", " \n\t\n ", "x" * 5000,
         "a \nb\t\n", "ü" * 5000,
         "\x00\x01\x7f\x85", "\u2028\u2029", "a\n" * 500, "=\n=\r\n==", "\x0b\x0c", "1234567 " * 1000]  # fmt: skip
PAGE = "<style>td { color: red } @media print { p { margin: 0 } }</style><table><tr><td>a</td></tr></table>"


@pytest.fixture(scope="module")
def app() -> Flask:
    more = {"MAIL_FOOTER": "Ada & Söhne, Zürich", "MAIL_LOGO_URL": "https://example.com/l.png", "MAIL_BRAND": "A<b>"}
    return create_app({**BASE, "DATABASE_URL": "sqlite://", **more})


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def printed(letter: Letter, *files: Attachment, **values: str) -> EmailMessage:
    envelope = Envelope("us@example.com", bulk=letter.bulk)
    leave = "https://example.com/unsubscribe/" + "x" * 120 if letter.bulk else ""
    return read(Press(prepare(letter), envelope, files).print(BOB, ID, values, leave))


def sender_of(name: str) -> tuple[str, str]:
    """Name and address of a mail from somebody of that name. By the older reader: the newer puts blanks into names."""
    letter = prepare(Letter("Hi", "Hi."))
    raw = Press(letter, Envelope(str(Address(name, "us", "example.com")))).print(BOB, ID, {})
    read(raw)
    shown, address = parseaddr(message_from_bytes(raw)["From"])
    return folded(str(make_header(decode_header(shown)))), address


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return unlined(found.get_content())


def filled(message: EmailMessage) -> str:
    """What stands between <i> and </i> of the HTML."""
    found = re.search("<i>(.*?)</i>", part(message, "html"), re.DOTALL)
    assert found
    return html.unescape(found[1])


def folded(text: str) -> str:
    """Blanks in a row are one: where a line is folded they cannot be told apart (RFC 5322 section 2.2.3)."""
    return re.sub("[ \t]+", " ", text)


def a_line(text: str) -> str:
    return LINE_BREAKS.sub("", text)


@pytest.mark.parametrize("words", WORDS)
def test_a_subject_says_what_it_says(words: str) -> None:
    message = printed(Letter(words, "Hi.", literal=True))
    assert str(message["Subject"]) == words


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_says_what_it_says_alone_and_beside_html(text: str) -> None:
    assert part(printed(Letter("Hi", text, literal=True)), "plain") == unlined(text)
    both = printed(Letter("Hi", f"{text}.", f"{PAGE}<p>x", literal=True))
    assert part(both, "plain") == unlined(f"{text}.")


@pytest.mark.parametrize("value", [text for text in TEXTS if "\0" not in text])
@pytest.mark.parametrize("shape", ["bare", "layout", "bulk"])
def test_a_value_arrives_as_it_is_in_the_html_and_in_the_text(value: str, shape: str) -> None:
    letter = Letter("Hi {{name}}", "+{{name}}+", PAGE + "<p><i>{{name}}</i></p>", shape != "bare", shape == "bulk")
    message = printed(letter, name=a_line(value)[:900])
    assert filled(message) == a_line(value)[:900]
    assert f"+{a_line(value)[:900]}+" in part(message, "plain")
    assert str(message["Subject"]) == f"Hi {a_line(value)[:900]}"
    assert ("List-Unsubscribe" in message) == (shape == "bulk")


@pytest.mark.parametrize("words", [word for word in WORDS if "{" not in word and "}" not in word])
def test_html_alone_has_a_text_too(words: str) -> None:
    message = printed(Letter("Hi", html=f"<p>{html.escape(words)}</p><p>{{{{name}}}}</p>", layout=True), name="Ada")
    assert "Ada" in part(message, "plain")
    assert html.unescape(part(message, "html")).count(words) >= 1


@pytest.mark.parametrize("words", WORDS)
def test_a_file_and_a_sender_have_their_names(words: str) -> None:
    name = a_line(words).replace("/", "_").strip()
    file = Attachment(f"{name[:150]}.pdf", "application/pdf", words.encode() * 40)
    (found,) = printed(Letter("Hi", "Hi.", PAGE), file).iter_attachments()
    assert (found.get_filename(), found.get_content()) == (file.name.replace("=?", "=_"), file.content)
    assert sender_of(name) == (folded(name), "us@example.com")


@pytest.mark.parametrize("media_type", ["text/plain", "text/html", "image/svg+xml", "message/rfc822", "multipart/mixed",
                                        "message/delivery-status", "MULTIPART/x", "application/x.y-z+q"])  # fmt: skip
@pytest.mark.parametrize(
    "content", [b"", b"\n", b".\r\n.\r\n", b"From x\n", bytes(range(256)) * 9, b"\xff", b"Subject: a\n\nb"]
)
def test_a_file_is_the_same_bytes_whatever_it_says_it_is(media_type: str, content: bytes) -> None:
    message = printed(Letter("Hi", "Hi."), Attachment("a.bin", media_type, content), Attachment("b", "text/csv", b"b"))
    first, second = message.iter_attachments()
    assert (first.get_payload(decode=True), second.get_payload(decode=True)) == (content, b"b")


@pytest.mark.parametrize("words", WORDS)
def test_what_a_server_is_given_is_what_was_printed(app: Flask, words: str) -> None:
    with smtp_server() as server:
        app.extensions["mail"].port = server.port
        deliver(
            Errand(Letter(words, words, f"<p>{html.escape(words)}", literal=True), {BOB: {}}, Envelope("a@b.example"))
        )
        app.extensions.pop("smtp").close()
        message = read(_undoubled(server))
    assert (str(message["Subject"]), part(message, "plain")) == (words, unlined(words))


def _undoubled(server: SmtpServer) -> bytes:
    return re.sub(rb"(?m)^\.", b"", server.stored[0].wire)


WRITTEN = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
LINES = WRITTEN.map(a_line).filter(bool)
NAMES = LINES.map(str.strip).filter(bool)


@settings(max_examples=300, deadline=None)
@given(subject=LINES, text=WRITTEN, value=WRITTEN)
def test_whatever_is_written_arrives(subject: str, text: str, value: str) -> None:
    letter = Letter("{{subject}}", "{{text}}|", "<p><i>{{name}}</i></p>")
    message = printed(letter, subject=subject, text=text, name=value)
    assert str(message["Subject"]) == subject
    assert part(message, "plain") == unlined(f"{text}|")
    assert filled(message) == re.sub(r"\r\n|\r", "\n", value)


@settings(max_examples=200, deadline=None)
@given(page=WRITTEN, name=NAMES, content=st.binary(max_size=500))
def test_whatever_stands_in_html_and_on_a_file_can_be_read(page: str, name: str, content: bytes) -> None:
    message = printed(Letter("Hi", html=f"<p>{page}", literal=True), Attachment(name, "application/pdf", content))
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content()) == (name.replace("=?", "=_"), content)


@settings(max_examples=200, deadline=None)
@given(name=NAMES)
def test_whatever_a_sender_is_called_arrives(name: str) -> None:
    assert sender_of(name) == (folded(name), "us@example.com")


def test_the_corpus_is_as_large_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Last: each message that was read before had no defect. Alone, or in parts, it has nothing to count."""
    with capsys.disabled():
        print(f" {READ['messages']:,} messages were read strictly ", end="")
    assert len(WORDS) * 4 + len(TEXTS) * 5 > 500
