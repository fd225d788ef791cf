"""The SMTP server of development, spoken to over a real connection, and the inbox that reads what it kept."""

from __future__ import annotations

import re
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import IO

import pytest

from tests.waiting import until
from webapi.local import smtp_sink
from webapi.services import inbox


class Sink:
    """A sink in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-I", smtp_sink.__file__, "--folder", str(folder), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    def content(self) -> bytes:
        (only,) = self.files()
        return only.read_bytes()


class Talk:
    """A client that says what it is told to say, byte for byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.answers: IO[bytes] = self.socket.makefile("rb")
        assert self.answer().startswith("220 ")

    def say(self, *lines: str) -> str:
        """Send lines in one packet; returns the first answer."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())
        return self.answer()

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def answer(self) -> str:
        """One reply, with all its lines."""
        lines = [self.answers.readline().decode()]
        while lines[-1][3:4] == "-":
            lines.append(self.answers.readline().decode())
        return "".join(lines).rstrip()

    def begin(self) -> None:
        """As far as the 354."""
        assert self.say("EHLO test").startswith("250-")
        assert self.say("MAIL FROM:<ada@example.com>").startswith("250")
        assert self.say("RCPT TO:<bea@example.com>").startswith("250")
        assert self.say("DATA").startswith("354")

    def hang_up(self) -> None:
        self.answers.close()
        self.socket.close()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    sink = Sink(tmp_path / "inbox")
    yield sink
    sink.process.terminate()
    assert sink.process.wait(10) == 0


@pytest.fixture
def talk(sink: Sink) -> Iterator[Talk]:
    talk = Talk(sink.port)
    yield talk
    talk.hang_up()


def test_a_mail_is_on_the_disk_before_it_is_accepted(sink: Sink, talk: Talk) -> None:
    talk.begin()
    talk.send(b"Subject: Hello\r\n\r\nText\r\n")
    assert sink.files() == []
    assert talk.say(".").startswith("250 2.6.0")
    assert sink.content() == (
        b"X-Envelope-From: <ada@example.com>\r\nX-Envelope-To: bea@example.com\r\nSubject: Hello\r\n\r\nText\r\n"
    )


def test_a_mail_that_cannot_be_stored_is_not_accepted(sink: Sink, talk: Talk) -> None:
    talk.begin()
    sink.folder.rmdir()
    sink.folder.write_text("no folder any more")
    assert talk.say("Subject: Hello", "", ".").startswith("451 ")
    assert talk.say("NOOP").startswith("250 ")


def test_a_doubled_dot_is_one_dot_and_a_dot_in_a_line_is_itself(sink: Sink, talk: Talk) -> None:
    talk.begin()
    assert talk.say("Subject: Dots", "", "..", "..two", "a.b", "...", ".").startswith("250")
    assert sink.content().endswith(b"\r\n\r\n.\r\n.two\r\na.b\r\n..\r\n")


def test_a_dot_between_bare_line_feeds_does_not_end_a_mail(sink: Sink, talk: Talk) -> None:
    """Where one server sees the end and another does not, a second mail can be smuggled in."""
    talk.begin()
    talk.send(b"Subject: Smuggled\r\n\r\none\n.\nMAIL FROM:<eve@example.com>\r.\r\n.\r\n")
    assert talk.answer().startswith("250 2.6.0")
    assert sink.content().endswith(b"\r\n\r\none\n.\nMAIL FROM:<eve@example.com>\r.\r\n")


def test_two_mails_on_one_connection_are_two_files_in_their_order(sink: Sink, talk: Talk) -> None:
    for number in (1, 2):
        talk.begin()
        assert talk.say(f"Subject: {number}", "", ".").startswith("250")
    first, second = sink.files()
    assert b"Subject: 1" in first.read_bytes()
    assert b"Subject: 2" in second.read_bytes()


def test_a_client_may_send_its_commands_before_it_reads_the_answers(sink: Sink, talk: Talk) -> None:
    first = talk.say("EHLO test", "MAIL FROM:<a@x.example>", "RCPT TO:<b@x.example>", "RCPT TO:<c@x.example>", "DATA")
    answers = [first, *(talk.answer() for _ in range(4))]
    assert [answer[:3] for answer in answers] == ["250", "250", "250", "250", "354"]
    first = talk.say("Subject: Piped", "", ".", "NOOP", "QUIT")
    assert [first[:3], talk.answer()[:3], talk.answer()[:3]] == ["250", "250", "221"]
    assert sink.content().count(b"X-Envelope-To: ") == 2


def test_a_connection_that_drops_before_the_dot_stores_nothing(sink: Sink, talk: Talk) -> None:
    dropped = Talk(sink.port)
    dropped.begin()
    dropped.send(b"Subject: Half\r\n\r\nHalf of a m")
    dropped.hang_up()
    talk.begin()
    assert talk.say("Subject: Whole", "", ".").startswith("250")
    assert b"Subject: Whole" in sink.content()


def test_a_sink_that_starts_again_takes_half_a_file_for_no_mail(tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "00000000000000000001-00000000.partial").write_bytes(b"Subject: Half")
    sink = Sink(folder)
    sink.process.terminate()
    assert sink.process.wait(10) == 0
    assert sink.files() == []


def test_a_command_that_is_too_long_is_refused_and_the_next_is_heard(talk: Talk) -> None:
    talk.send(b"EHLO " + b"x" * 100_000 + b"\r\nNOOP\r\n")
    assert talk.answer().startswith("500 5.5.2")
    assert talk.answer().startswith("250 ")


@pytest.mark.parametrize(("length", "code"), [(998, "250"), (999, "500"), (100_000, "500")])
def test_a_line_of_a_mail_has_998_octets_at_most(sink: Sink, talk: Talk, length: int, code: str) -> None:
    talk.begin()
    assert talk.say("Subject: Long", "", "x" * length, ".").startswith(code)
    assert len(sink.files()) == (code == "250")


def test_the_dot_that_is_doubled_does_not_count(sink: Sink, talk: Talk) -> None:
    talk.begin()
    assert talk.say("Subject: Long", "", ".." + "x" * 997, ".").startswith("250")
    assert sink.content().endswith(b"\r\n." + b"x" * 997 + b"\r\n")


def test_a_mail_that_is_too_large_is_read_to_its_dot_and_refused(sink: Sink, talk: Talk) -> None:
    talk.begin()
    line = b"x" * 990 + b"\r\n"
    for _ in range(34):
        talk.send(line * 1024)
    assert talk.say(".", "NOOP").startswith("552 5.3.4")
    assert talk.answer().startswith("250 ")
    assert sink.files() == []


def test_a_mail_that_says_it_is_too_large_is_refused_at_once(talk: Talk) -> None:
    talk.say("EHLO test")
    assert talk.say("MAIL FROM:<a@x.example> SIZE=99999999").startswith("552 5.3.4")
    assert talk.say("MAIL FROM:<a@x.example> BODY=8BITMIME SIZE=1000").startswith("250 ")


def test_what_it_advertises_is_what_the_standards_name(talk: Talk) -> None:
    answer = talk.say("EHLO test")
    words = [line[4:] for line in answer.splitlines()]
    assert words[1:] == ["PIPELINING", "8BITMIME", f"SIZE {smtp_sink.MAX_MAIL}", "ENHANCEDSTATUSCODES"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["MAIL FROM:<a@x.example>"], "503"),
        (["EHLO test", "RCPT TO:<a@x.example>"], "503"),
        (["EHLO test", "DATA"], "503"),
        (["EHLO test", "MAIL FROM:<a@x.example>", "DATA"], "503"),
        (["EHLO test", "MAIL FROM:<a@x.example>", "MAIL FROM:<b@x.example>"], "503"),
        (["EHLO test", "MAIL FROM:<a@x.example>", "RSET", "RCPT TO:<b@x.example>"], "503"),
        (["EHLO"], "501"),
        (["EHLO test", "MAIL FROM:a@x.example"], "501"),
        (["EHLO test", "MAIL FROM:<a x@x.example>"], "501"),
        (["EHLO test", "MAIL FROM:<a@x.example> COLOUR=red"], "501"),
        (["EHLO test", "MAIL FROM:<>", "RCPT TO:<>"], "501"),
        (["EHLO test", "MAIL FROM:<>", "RCPT TO:<bär@x.example>"], "501"),
        (["EHLO test", "MAIL FROM:<>", "RCPT TO:<a@x.example\nX-Envelope-To: eve>"], "501"),
        (["EHLO test", "QUIT now"], "501"),
        (["HELO test", "MAIL FROM:<>", "RCPT TO:<postmaster>"], "250"),
        (["helo test", "mail from: <a@x.example>"], "250"),
        (["FROB"], "500"),
        (["\x00\x01"], "500"),
    ],
)
def test_what_is_wrong_or_out_of_order_has_its_code(talk: Talk, lines: list[str], code: str) -> None:
    answers = [talk.say(line) for line in lines]
    assert answers[-1].startswith(code), answers[-1]


def test_the_inbox_reads_what_was_kept_newest_first(sink: Sink) -> None:
    with smtplib.SMTP("127.0.0.1", sink.port) as client:
        for subject in ("Erster Gruß", "Second"):
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = "Ada <ada@example.com>", "bea@example.com", subject
            mail.set_content("Grüße\n.\nline\n")
            mail.add_alternative("<p>Grüße</p>", subtype="html")
            mail.add_attachment(b"\x00", maintype="application", subtype="octet-stream", filename="data.bin")
            client.send_message(mail, to_addrs=["bea@example.com", "blind@example.com"])
    second, first = inbox.messages(sink.folder)
    assert (first.subject, second.subject) == ("Erster Gruß", "Second")
    assert first.to == ("bea@example.com", "blind@example.com")
    whole = inbox.message(sink.folder, first.id)
    assert (whole.text, whole.html) == ("Grüße\n.\nline\n", "<p>Grüße</p>\n")
    assert (whole.sender, whole.attachments) == ("Ada <ada@example.com>", ("data.bin",))


def test_names_sort_by_arrival_also_when_mails_come_at_once(sink: Sink) -> None:
    talks = [Talk(sink.port) for _ in range(10)]
    for number, talk in enumerate(talks):
        talk.begin()
        talk.send(f"Subject: {number}\r\n\r\n.\r\n".encode())
    assert all(talk.answer().startswith("250") for talk in talks)
    until(lambda: len(sink.files()) == 10, what="ten mails")
    assert all(re.fullmatch(r"[0-9]{20}-[0-9a-f]{8}\.eml", path.name) for path in sink.files())
    for talk in talks:
        talk.hang_up()
