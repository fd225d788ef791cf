"""Delivery status notifications in the forms in which mail servers write them; all names and words are made up."""

from __future__ import annotations

import base64

ID = "<0197.job@shop.example.com>"
ORIGINAL = f"Received: by shop.example.com\nMessage-ID: {ID}\nSubject: Your order\n"


def part(media_type: str, body: str, extra: str = "") -> str:
    return f"Content-Type: {media_type}\n{extra}\n{body}\n"


def report(*parts: str, extra: str = "", media_type: str = "multipart/report; report-type=delivery-status") -> bytes:
    """A mail of these parts."""
    body = "".join(f"--=_b.1/x\n{each}" for each in parts)
    head = f'From: MAILER-DAEMON@mx.example.com\n{extra}Content-Type: {media_type};\n boundary="=_b.1/x"\n'
    return f"{head}MIME-Version: 1.0\n\nThese are parts.\n\n{body}--=_b.1/x--\n".encode()


WORDS = part("text/plain; charset=us-ascii", "Sorry, your mail came back.\n")
FULL = part("message/rfc822", ORIGINAL + "\nThank you.\n")
HEADERS = part("text/rfc822-headers", ORIGINAL)


def status(*blocks: str, mail: str = "Reporting-MTA: dns; mx.example.com\n", extra: str = "") -> str:
    return part("message/delivery-status", "\n".join((mail, *blocks)), extra)


POSTFIX = report(
    WORDS,
    status(
        "Final-Recipient: rfc822; ann@example.com\nOriginal-Recipient: rfc822;Ann@Example.com\nAction: failed\n"
        "Status: 5.1.1\nRemote-MTA: dns; in.example.com\n"
        "Diagnostic-Code: smtp; 550 5.1.1 <ann@example.com>: nobody of\n    that name lives here\n",
        mail="Reporting-MTA: dns; mx.example.com\nX-Postfix-Queue-ID: 4F00BA\nOriginal-Envelope-Id: 77\n",
    ),
    HEADERS,
)
POSTFIX_TWO = report(
    WORDS,
    status(
        "Final-Recipient: rfc822; ann@example.com\nAction: delayed\nStatus: 4.4.1\n"
        "Diagnostic-Code: X-Postfix; connect to in.example.com: 450 seconds passed\nWill-Retry-Until: tomorrow\n",
        "Final-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 full\n",
    ),
    FULL,
)
EXIM = report(
    WORDS,
    status("Action: failed\nFinal-Recipient: rfc822;ann@example.com\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 no\n"),
    part("message/rfc822", "Return-path: <shop@example.com>\n" + ORIGINAL.replace("Message-ID: ", "Message-Id:\n ")),
    extra="X-Failed-Recipients: ann@example.com\nReferences: <other@example.com>\n",
)
EXCHANGE = report(
    report(WORDS, part("text/html", "<p>Sorry.</p>"), media_type="multipart/alternative")
    .decode()
    .replace("=_b.1/x", "inner"),
    status(
        "Final-Recipient: rfc822;Ann@example.com\nAction: failed\nStatus: 5.1.10\n"
        "Diagnostic-Code: smtp;550 5.1.10 RESOLVER; no such recipient\nX-Display-Name: Ann\n",
        mail="Reporting-MTA: dns;AB01.example.com\nReceived-From-MTA: dns;shop.example.com\nArrival-Date: today\n",
    ),
    FULL,
    extra=f"In-Reply-To: {ID}\n",
).replace(b"\n", b"\r\n")
GMAIL = report(
    report(WORDS, part("image/png", "aWNvbg==", "Content-Transfer-Encoding: base64\n"), media_type="multipart/related")
    .decode()
    .replace("=_b.1/x", "related"),
    status(
        "Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550-5.1.1 This account is not there. Look for\n 550-5.1.1 typing errors, please.\n"
        " 550 5.1.1 Goodbye\nLast-Attempt-Date: today\n"
    ),
    FULL,
    extra=f"In-Reply-To: {ID}\nReferences: <first@example.com>\n {ID}\n",
)
SES = report(
    WORDS,
    status(
        "Action: failed\nFinal-Recipient: rfc822; ann@example.com\nDiagnostic-Code: smtp; 554 4.4.7 too old\n"
        "Status: 4.4.7\n",
        mail="Reporting-MTA: dsn; a1.example.com\n",
    ),
    FULL,
    media_type='Multipart/Report; report-type="delivery-status"',
)
QMAIL = report(
    WORDS,
    status(
        "final-recipient :  RFC822; <ann@example.com> (Ann (A.))\nACTION: Failed (for good)\n"
        "status: 5.1.1 (bad mailbox)\ndiagnostic-code: 550 unknown\n",
        mail="\nReporting-MTA: dns; mx.example.com (qmail)\n \t",
    ),
    part("text/rfc822-headers", "\n" + ORIGINAL.replace("Message-ID", "MESSAGE-id")),
    media_type="multipart/report",
)
GLOBAL = report(
    WORDS,
    part(
        "message/global-delivery-status",
        base64.encodebytes(
            "Reporting-MTA: dns; mx\n\nOriginal-Recipient: utf-8;J\\x{F6}rg@example.com\n"
            "Final-Recipient: utf-8;jörg@example.com\nAction: failed\nStatus: 5.6.7\n"
            "Diagnostic-Code: smtp; 553 Jörg?\n".encode()
        ).decode(),
        "Content-Transfer-Encoding: BASE64\n",
    ),
    part(
        "message/global-headers", ORIGINAL.replace("order", "=C3=B6"), "Content-Transfer-Encoding: quoted-printable\n"
    ),
)
WITHOUT_ORIGINAL = report(
    WORDS,
    status("Final-Recipient: rfc822;ann@example.com\nAction: delivered\nStatus: 2.0.0\n"),
    extra=f"References: <first@example.com> {ID}\n",
)
ALL = {
    "Postfix": POSTFIX,
    "Postfix, two recipients": POSTFIX_TWO,
    "Exim": EXIM,
    "Exchange": EXCHANGE,
    "Gmail": GMAIL,
    "SES": SES,
    "qmail": QMAIL,
    "RFC 6533": GLOBAL,
    "without the original": WITHOUT_ORIGINAL,
}


def bounce_of(message_id: str, recipient: str, action: str = "failed", diagnostic: str | None = None) -> bytes:
    """A notification about a mail with this id."""
    said = "550 5.1.1 nobody of that name lives here" if diagnostic is None else diagnostic
    found = {"failed": "5.1.1", "delayed": "4.4.1"}.get(action, "2.0.0")
    fields = f"Final-Recipient: rfc822; {recipient}\n" if recipient else ""
    fields += f"Action: {action}\nStatus: {found}\n"
    fields += f"Diagnostic-Code: smtp; {said}\n" if said else ""
    return report(WORDS, status(fields), part("text/rfc822-headers", f"Message-ID: {message_id}\nSubject: Hello\n"))
