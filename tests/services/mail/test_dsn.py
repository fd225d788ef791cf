"""What a mail server says later is understood in every usual form, and what is nothing of that kind is refused."""

from __future__ import annotations

import pytest

from tests.services.mail.notices import ALL, FULL, HEADERS, ID, POSTFIX, WORDS, part, report, status
from webapi.errors import Invalid
from webapi.services.mail.dsn import MOST_BYTES, Notice, read

ANN = "ann@example.com"
MEANT = {
    "Postfix": [Notice(ANN, "failed", "5.1.1", 550, f"550 5.1.1 <{ANN}>: nobody of that name lives here", ID)],
    "Postfix, two recipients": [
        Notice(ANN, "delayed", "4.4.1", None, "connect to in.example.com: 450 seconds passed", ID),
        Notice("bob@example.com", "failed", "5.2.2", 552, "552 full", ID),
    ],
    "Exim": [Notice(ANN, "failed", "5.0.0", 550, "550 no", ID)],
    "Exchange": [Notice(ANN, "failed", "5.1.10", 550, "550 5.1.10 RESOLVER; no such recipient", ID)],
    "Gmail": [
        Notice(
            ANN, "failed", "5.1.1", 550,
            "550-5.1.1 This account is not there. Look for 550-5.1.1 typing errors, please. 550 5.1.1 Goodbye", ID,
        )
    ],
    "SES": [Notice(ANN, "failed", "4.4.7", 554, "554 4.4.7 too old", ID)],
    "qmail": [Notice(ANN, "failed", "5.1.1", 550, "550 unknown", ID)],
    "RFC 6533": [Notice("jörg@example.com", "failed", "5.6.7", 553, "553 Jörg?", ID)],
    "without the original": [Notice(ANN, "delivered", "2.0.0", None, "", ID)],
}  # fmt: skip


def one(fields: str, *others: str, extra: str = "") -> Notice:
    """What is read out of a report with these fields about a recipient."""
    (notice,) = read(report(WORDS, status(fields), *others, extra=extra))
    return notice


@pytest.mark.parametrize("server", ALL)
def test_a_notice_of_a_usual_server_is_understood(server: str) -> None:
    assert read(ALL[server]) == MEANT[server]


@pytest.mark.parametrize(
    ("action", "state", "diagnostic", "permanent"),
    [
        ("failed", "5.1.1", "smtp; 550 no", True),
        ("failed", "4.4.7", "smtp; 554 too late", False),
        ("failed", "", "smtp; 550 no", True),
        ("failed", "bad", "smtp; 550 no", True),
        ("failed", "", "smtp; 451 later", False),
        ("failed", "", "X-Unix; 550", False),
        ("delayed", "5.1.1", "smtp; 550 no", False),
        ("delivered", "2.0.0", "smtp; 250 ok", False),
    ],
)
def test_only_a_failure_of_class_5_is_permanent(action: str, state: str, diagnostic: str, permanent: bool) -> None:
    assert one(f"Action: {action}\nStatus: {state}\nDiagnostic-Code: {diagnostic}\n").permanent is permanent


@pytest.mark.parametrize(
    ("fields", "recipient"),
    [
        ("Final-Recipient: rfc822; b@example.com\nOriginal-Recipient: rfc822; A@Example.com", "a@example.com"),
        ("Final-Recipient: rfc822; final@example.com\nOriginal-Recipient: rfc822;", "final@example.com"),
        ("Final-Recipient: final@example.com", "final@example.com"),
        ('Final-Recipient: rfc822; "a (b) c"@example.com', '"a (b) c"@example.com'),
        ("Final-Recipient: x400; c=de@example.com", ""),
        ("Final-Recipient: rfc822; |/bin/true", ""),
        ("Final-Recipient: rfc822; " + "a" * 320 + "@example.com", ""),
        (r"Final-Recipient: utf-8; \x{FFFFFF}\x{D800}@example.com", ""),
    ],
)  # fmt: skip
def test_the_recipient_is_the_original_one_or_else_the_final_one(fields: str, recipient: str) -> None:
    assert one(f"Action: failed\n{fields}\n").recipient == recipient


@pytest.mark.parametrize("state", ["5.1", "5.1.1.1", "3.1.1", "5.1.1000", "fünf", "٥.١.١", "550"])
def test_a_malformed_status_is_none(state: str) -> None:
    assert one(f"Action: failed\nStatus: {state}\n").status == ""


def test_a_diagnostic_becomes_one_readable_line() -> None:
    said = one(
        "Action: failed\nDiagnostic-Code: smtp; 550 =?utf-8?q?J=C3=B6rg?=\n\x1b[2J\n\t\u202e\x00 " + "x" * 999 + "\n"
    )
    assert said.text == "550 Jörg"  # a line that belongs to no field ends it
    assert len(one("Action: failed\nDiagnostic-Code: smtp; 550\n \x1b\u202e\x00" + "x " * 999 + "\n").text) == 499
    assert one("Action: failed\nDiagnostic-Code: smtp; =?no-such?q?a?= =?é?q?a?=\n").text == "=?no-such?q?a?= =?é?q?a?="


def test_bytes_of_another_character_set_are_read_as_latin_1() -> None:
    raw = report(WORDS, status("Action: failed\nDiagnostic-Code: smtp; 550 J?rg\n"))
    assert read(raw.replace(b"J?rg", b"J\xf6rg"))[0].text == "550 Jörg"


def test_the_original_is_found_deeper_and_its_own_id_comes_first() -> None:
    deeper = report(HEADERS, media_type="multipart/mixed").decode().replace("=_b.1/x", "deeper")
    assert one("Action: failed\n", deeper, extra="In-Reply-To: <other@example.com>\n").message_id == ID
    assert one("Action: failed\n", extra="In-Reply-To: <a@b> <c@d>\nReferences: <e@f>\n").message_id == "<c@d>"
    assert one("Action: failed\n", extra="References:" + "\n <a@b>" * 999 + " <last@b>\n").message_id == "<last@b>"
    assert one("Action: failed\n").message_id == ""


def test_of_many_recipients_the_first_hundred_are_read() -> None:
    blocks = (f"Final-Recipient: rfc822; {number}@example.com\nAction: failed\n" for number in range(101))
    assert [each.recipient for each in read(report(status(*blocks)))] == [f"{n}@example.com" for n in range(100)]


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        (b"", "no multipart/report"),
        (b"Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n", "no multipart/report"),
        (report(WORDS, status("Action: failed\n"), media_type="multipart/mixed"), "no multipart/report"),
        (b"Content-Type: message/rfc822\n\n" + POSTFIX, "no multipart/report"),
        (POSTFIX.replace(b"boundary", b"border"), "no multipart/report"),
        (report(WORDS, FULL), "no message/delivery-status"),
        (report(part("message/disposition-notification", "Disposition: displayed")), "no message/delivery-status"),
        (report(WORDS, status("Final-Recipient: rfc822; ann@example.com\n")), "no recipient with an action"),
        (report(WORDS, status("Action: eaten\n")), "no recipient with an action"),
        (POSTFIX + b" " * MOST_BYTES, f"at most {MOST_BYTES} bytes"),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_refused_with_a_sentence(raw: bytes, missing: str) -> None:
    with pytest.raises(Invalid, match=missing):
        read(raw)
