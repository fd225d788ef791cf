"""What goes with a mail: the owner's own files, byte for byte, and links where they are too large."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from flask import Flask, current_app
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import insert

from tests.queue.rows import add_owner, job
from tests.services.mail.mailing import BOB, body, refused, run, send, submit, template, upload
from tests.services.test_links import signed_before
from tests.smtp_server import SmtpServer
from webapi.errors import NotFound
from webapi.extensions import db
from webapi.models import Artifact, Upload
from webapi.models.transaction import writing
from webapi.queue.files import store
from webapi.services import links
from webapi.services.mail import attachments

pytestmark = pytest.mark.usefixtures("owner")
OTHER = UUID("01900000-0000-7000-8000-00000000eee0")


@pytest.fixture
def little(ground: Flask) -> Iterator[None]:
    """A mail takes 100 bytes of files."""
    before, ground.config["MAIL_ATTACHMENTS"] = ground.config["MAIL_ATTACHMENTS"], 100
    yield
    ground.config["MAIL_ATTACHMENTS"] = before


def artifact(content: bytes, name: str, job_id: UUID) -> str:
    """A file that a job produced, as a payload names it."""
    row = db.session.get_one(Upload, upload(content))
    values = {"job_id": job_id, "attempt": 1, "name": name, "sha256": row.sha256, "size": row.size}
    with writing() as session:
        session.execute(insert(Artifact).values(id=uuid4(), media_type="application/pdf", **values))
    return f"{job_id}/{name}"


def test_files_arrive_byte_for_byte_under_their_names(mail_server: SmtpServer) -> None:
    contents = [bytes(range(256)) * 50, b"", b".\r\n.\r\n", b"x0markto0x" * 50, b"From x\n\r\r\n\0"]
    names = ["Bericht März (1).pdf", "報告.csv", "a b.txt", "x0markto0x.bin", "." + "x" * 150 + ".png"]
    files = [upload(content, name) for content, name in zip(contents, names, strict=True)]
    produced = artifact(b"%PDF", "=?utf-8?q?x?='\";\\.pdf", submit(BOB, sandbox=True))
    run()
    send(BOB, attachments=files, artifacts=[produced])
    arrived = list(mail_server.stored[-1].message.iter_attachments())
    assert [file.get_payload(decode=True) for file in arrived] == [*contents, b"%PDF"]
    assert [file.get_filename() for file in arrived] == [
        "Bericht März (1).pdf", "報告.csv", "a b.txt", "x0markto0x.bin", "x" * 150 + ".png", "=_utf-8?q?x?='\";\\.pdf",
    ]  # fmt: skip


@pytest.mark.parametrize("media_type", ["message/rfc822", "multipart/mixed", "text/html"])
def test_a_mail_that_is_attached_is_a_file(mail_server: SmtpServer, media_type: str) -> None:
    content = b"Subject: Old\r\n\r\nFrom here\r\n.\r\n"
    send(BOB, attachments=[upload(content, "old.eml", media_type)])
    (file,) = mail_server.stored[0].message.iter_attachments()
    assert (file.get_payload(decode=True), file.get_filename()) == (content, "old.eml")


def test_a_file_whose_base64_holds_what_we_write_stays_as_it_is(mail_server: SmtpServer) -> None:
    """Its bytes were chosen so that their base64 reads `x0markto0xAA`, which stood for the recipient once."""
    content = b64decode("x0markto0xAA")
    send(BOB, attachments=[upload(content)])
    (file,) = mail_server.stored[0].message.iter_attachments()
    assert file.get_payload(decode=True) == content


def test_the_files_of_somebody_else_are_not_found() -> None:
    add_owner(OTHER, "eve@example.com")
    theirs, produced = upload(b"x", owner_id=OTHER), artifact(b"x", "a.pdf", submit(BOB, owner_id=OTHER))
    with refused("/attachments/0"):
        submit(attachments=[theirs])
    with refused("/artifacts/0", "no file of a job of yours"):
        submit(artifacts=[produced])


@pytest.mark.parametrize(
    "reference", ["", "/", "x/y", f"{UUID(int=7)}/a.pdf", f"{UUID(int=9)}", "../a.pdf", "a.pdf", "\u2028/a"]
)
def test_what_names_no_file_is_refused(reference: str) -> None:
    with refused("/artifacts/0"):
        submit(artifacts=[reference])


def test_the_name_of_a_file_is_no_path() -> None:
    job_id = submit()
    artifact(b"x", "a.pdf", job_id)
    for name in ("./a.pdf", "../a.pdf", "a.pdf/", "A.PDF", "a%", ""):
        with refused("/artifacts/0"):
            submit(artifacts=[f"{job_id}/{name}"])


@pytest.mark.parametrize(
    "name",
    ["a.exe", "a.EXE", "a.pdf.exe", "a.js", "a.vbs", "a.scr", "a.lnk", "a.ps1", "a.jar", "a.msi", "a.iso", "a.hta",
     "a.bat", ".exe", "a.exe.", "a.exe ", "a.exe. .", "a\u202efdp.exe"],
)  # fmt: skip
def test_what_a_click_would_run_is_refused(name: str) -> None:
    produced = artifact(b"MZ", name, submit())
    with refused("/artifacts/0", "mail servers refuse"):
        submit(artifacts=[produced])


@pytest.mark.parametrize("name", ["C:\\x\\a.exe", "../../a.CMD", "a.exe", "a.bat. ", "b/a.com"])
def test_what_a_click_would_run_is_refused_as_an_upload_too(name: str) -> None:
    with refused("/attachments/0", "mail servers refuse"):
        submit(attachments=[upload(b"MZ", name)])


@pytest.mark.parametrize("name", ["exe", "a.exe.pdf", "a.executive", "a.txt", "a", "a.c", "notes.js.txt"])
def test_anything_else_goes(name: str) -> None:
    assert submit(attachments=[upload(b"x", name)])


def test_there_are_so_many_files_and_no_more() -> None:
    files = [upload(b"x") for _ in range(6)]
    produced = [artifact(b"x", f"{number}.pdf", submit()) for number in range(5)]
    with refused("/attachments", "at most 10 files"):
        submit(attachments=files, artifacts=produced)


@pytest.mark.usefixtures("little")
def test_what_is_too_large_together_is_linked(mail_server: SmtpServer) -> None:
    files = [upload(b"a" * 60, "first.pdf"), upload(b"b" * 60, "second & <b>.pdf")]
    send(BOB, attachments=files[:1])
    assert len(list(mail_server.stored[0].message.iter_attachments())) == 1
    send(BOB, attachments=files, subject="Hi", text="Text.", html="<p>Page</p></body></html>")
    mail = mail_server.stored[1]
    assert list(mail.message.iter_attachments()) == []
    for kind in ("plain", "html"):
        tokens = re.findall(r"http://127\.0\.0\.1:5000/files/([\w.-]+)", body(mail, kind))
        found = [attachments.linked(token) for token in tokens]
        assert [store().read(file.sha256) for file in found] == [b"a" * 60, b"b" * 60]
        assert [file.name for file in found] == ["first.pdf", "second _ _b_.pdf"]


@pytest.mark.usefixtures("little")
def test_a_name_with_braces_is_linked_too(mail_server: SmtpServer) -> None:
    template("files", html="<p>Hi", text="Hi")
    produced = artifact(b"a" * 101, "{{name}} <b>.pdf", submit(BOB, sandbox=True))
    run()
    job_id = send(BOB, artifacts=[produced], template="files", values={"name": "x"})
    assert job(job_id).state == "succeeded"
    assert "__name__ <b>.pdf" in body(mail_server.stored[0])
    assert "__name__ &lt;b&gt;.pdf" in body(mail_server.stored[0], "html")


def test_a_link_ends_and_no_other_link_is_one() -> None:
    token = ["upload", str(upload(b"x"))]
    day = 86400
    assert attachments.linked(signed_before(13 * day, attachments.PURPOSE, token)).size == 1
    forged = URLSafeTimedSerializer("another key", salt=attachments.PURPOSE).dumps(token)
    assert current_app.config["SECRET_KEY"] != "another key"
    for wrong in (
        signed_before(attachments.LINK_DAYS * day + 60, attachments.PURPOSE, token),
        links.sign("another purpose", token),
        links.sign_for_ever(attachments.PURPOSE, token),
        links.sign(attachments.PURPOSE, ["upload", str(UUID(int=8))]),
        links.sign(attachments.PURPOSE, ["artifact", token[1]]),
        str(forged),
        "",
        "x.y.z",
    ):
        with pytest.raises(NotFound):
            attachments.linked(wrong)
