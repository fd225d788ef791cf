"""DKIM: a message that somebody changed is seen to be changed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from email import message_from_bytes

import dkim
import pytest
from flask import Flask

from tests.services.mail.strict import read
from tests.smtp_server import smtp_server
from webapi.errors import ConfigError
from webapi.services.mail.letters import Letter, prepare
from webapi.services.mail.mailer import Errand, deliver
from webapi.services.mail.message import Attachment, Envelope, Press
from webapi.services.mail.signing import signed

BOB = "bob@example.com"


@pytest.fixture(scope="module")
def key() -> str:
    return _openssl(["genrsa", "2048"], b"").decode()


@pytest.fixture(scope="module")
def record(key: str) -> bytes:
    """What stands in the DNS."""
    public = _openssl(["rsa", "-pubout"], key.encode()).decode()
    return b"v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1]).encode()


def _openssl(arguments: list[str], given: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def verified(message: bytes, record: bytes) -> bool:
    asked: list[bytes] = []

    def dns(name: bytes, timeout: int = 5) -> bytes:
        asked.append(name)
        return record

    good: bool = dkim.verify(message, dnsfunc=dns)
    assert asked in ([], [b"tests._domainkey.example.com."])
    return good


def printed(bulk: bool = False) -> bytes:
    letter = prepare(Letter("Grüße " * 20, "Zürich\n\n.\n", "<p>x", bulk=bulk))
    envelope = Envelope("Zoë <us@example.com>", "ada@example.com", bulk)
    file = Attachment("a.pdf", "application/pdf", b"x" * 5000)
    return Press(letter, envelope, [file]).print(BOB, "<1@example.com>", {}, "https://a.example/u" if bulk else "")


def test_without_a_key_nothing_is_signed(calling: Callable[..., Flask]) -> None:
    calling()
    message = printed()
    assert signed(message, "example.com") == message


@pytest.mark.parametrize("bulk", [False, True])
def test_a_signed_message_is_verified_and_a_changed_one_is_not(
    calling: Callable[..., Flask], key: str, record: bytes, bulk: bool
) -> None:
    calling(DKIM_KEY=key, DKIM_SELECTOR="tests")
    message = signed(printed(bulk), "example.com")
    read(message)
    assert verified(message, record)
    assert not verified(message.replace(b"Z=C3=BCrich", b"Z=C3=B6rich"), record)
    for header in (b"From: ", b"To: ", b"Date: ", b"Reply-To: ", b"Message-ID: "):
        changed = message.replace(b"\r\n" + header, b"\r\n" + header + b"x")
        assert changed != message
        assert not verified(changed, record)
    if bulk:
        assert not verified(message.replace(b"https://a.example/u>", b"https://evil.example/u>"), record)


def test_no_second_sender_or_subject_can_be_put_before_it(
    calling: Callable[..., Flask], key: str, record: bytes
) -> None:
    calling(DKIM_KEY=key, DKIM_SELECTOR="tests")
    message = signed(printed(), "example.com")
    assert not verified(b"List-Unsubscribe: <https://evil.example>\r\n" + message, record)
    assert message_from_bytes(message)["DKIM-Signature"].count("d=example.com") == 1


def test_what_is_on_the_wire_is_verified(calling: Callable[..., Flask], key: str, record: bytes) -> None:
    with smtp_server() as server:
        app = calling(DKIM_KEY=key, DKIM_SELECTOR="tests", MAIL_PORT=server.port)
        deliver(Errand(Letter("Hi", ".\n..\nx"), {BOB: {}}, Envelope("us@example.com")))
        app.extensions["smtp"].close()
        wire = server.stored[0].wire.replace(b"\r\n..", b"\r\n.")
    assert verified(wire, record)


@pytest.mark.parametrize("wrong", ["x", "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----"])
def test_a_key_that_is_none_is_said_so(calling: Callable[..., Flask], wrong: str) -> None:
    calling(DKIM_KEY=wrong)
    with pytest.raises(ConfigError, match="DKIM_KEY"):
        signed(printed(), "example.com")
