"""Whatever is sent instead of a notification, nobody is named who was not meant, and the reader comes back soon."""

from __future__ import annotations

import re
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mail.notices import ALL, report, status
from webapi.errors import Invalid
from webapi.services.mail.dsn import ACTIONS, MOST_BYTES, Notice, read


def read_or_refused(raw: bytes) -> list[Notice] | None:
    """The notices, each within its limits; None where the mail is refused."""
    try:
        notices = read(raw)
    except Invalid:
        return None
    assert 1 <= len(notices) <= 100
    for each in notices:
        assert each.recipient == "" or ("@" in each.recipient and each.recipient == each.recipient.lower())
        assert len(each.recipient) <= 320
        assert each.action in ACTIONS
        assert re.fullmatch(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})?", each.status)
        assert each.code is None or 200 <= each.code <= 599
        assert len(each.text) <= 500
        assert re.fullmatch(r"(<[^<>\s]+>)?", each.message_id)
        assert (each.recipient + each.text + each.message_id).isprintable()
    return notices


@pytest.mark.parametrize("server", ALL)
def test_a_notice_cut_off_at_any_byte_never_names_another_recipient(server: str) -> None:
    meant = [replace(each, message_id="") for each in read(ALL[server])]
    for length in range(len(ALL[server])):
        notices = read_or_refused(ALL[server][:length]) or []
        # The original's id may be cut off, then the notification's own references stand for it, or nothing.
        assert [replace(each, message_id="") for each in notices] in ([], meant)


NESTED = "".join(f"Content-Type: multipart/report; boundary=b{n}\n\n--b{n}\n" for n in range(1000)).encode()
FAILED = "Action: failed\nDiagnostic-Code: smtp; "


@pytest.mark.parametrize(
    "raw",
    [
        NESTED,
        b"A: b\n" * 200_000,
        b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n\n" * 200_000,
        b"Content-Type: multipart/report" + b"; a=b" * 200_000,
        report(status(*["A: b\n"] * 150_000)),
        report(status(FAILED + "\n " * 500_000)),
        report(status(*[FAILED + "=?a?q?" * 800 + "\n"] * 200)),
        report(status(*["Action: failed\nFinal-Recipient: rfc822;" + '"\\(a@' * 900 + "\n"] * 200)),
        report(status(FAILED + "=?idna?b?AAAA?= =?a\x00b?q?x?= =?utf-8?b?a?=\n")),
        bytes(range(256)) * 4000,
    ],
    ids=["nested", "headers", "parts", "parameters", "blocks", "folds", "words", "quotes", "charsets", "rubbish"],
)
def test_a_hostile_mail_takes_little_time_and_raises_nothing_else(raw: bytes) -> None:
    before = process_time()
    read_or_refused(raw[:MOST_BYTES])
    assert process_time() - before < 3  # seconds


WAYS = st.sampled_from(["cut", "flip", "double", "drop", "put"])
EDITS = st.lists(st.tuples(WAYS, st.floats(0, 1), st.binary(min_size=1, max_size=9)), max_size=8)


def edited(raw: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    """The mail after each edit at its place, from 0 at the beginning to 1 at the end."""
    for what, place, rubbish in edits:
        lines, at = raw.splitlines(keepends=True), int(place * len(raw))
        line = int(place * len(lines))
        raw = {
            "cut": raw[:at],
            "flip": raw[:at] + bytes(each ^ rubbish[0] for each in raw[at : at + 1]) + raw[at + 1 :],
            "double": b"".join(lines[: line + 1] + lines[line:]),
            "drop": b"".join(lines[:line] + lines[line + 1 :]),
            "put": raw[:at] + rubbish + raw[at:],
        }[what]
    return raw


@given(st.sampled_from(sorted(ALL)), EDITS)
def test_a_damaged_notice_is_read_within_its_limits_or_refused(
    server: str, edits: list[tuple[str, float, bytes]]
) -> None:
    read_or_refused(edited(ALL[server], edits))
