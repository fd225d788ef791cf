"""A mail is taken apart as its boundaries say; where they say nothing of use, there are fewer parts and no error."""

from __future__ import annotations

import pytest

from webapi.services.mail.parts import DEEPEST, Part, bare, content, fields_of, leaves, parse


def multipart(boundary: str, *parts: str, kind: str = "mixed") -> str:
    body = "".join(f"--{boundary}\n{each}\n" for each in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n{body}--{boundary}--\n'


def bodies(mail: str) -> list[str]:
    return [part.body for part in leaves(parse(mail.encode()))]


def test_the_parts_stand_in_their_order_and_a_mail_within_stays_closed() -> None:
    inner = multipart("b", "\ntwo", "\nthree\n")
    enclosed = "Content-Type: message/rfc822\n\n" + multipart("c", "\nfour")
    assert bodies(multipart("a", "\none", inner, enclosed)) == ["one", "two", "three\n", multipart("c", "\nfour")]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_every_line_ending_is_one(end: str) -> None:
    assert bodies(multipart("a", "\none\ntwo").replace("\n", end)) == ["one\ntwo"]


def test_only_its_own_line_is_a_boundary() -> None:
    text = "\none\n--ab\n --a\n--a b\n-a\n--A"
    assert bodies(multipart("a", text)) == [text[1:]]
    assert bodies(multipart("(a|.*", "\none")) == ["one"]


def test_a_part_is_whole_when_a_boundary_follows() -> None:
    mail = multipart("a", "\none", multipart("b", "\ntwo", "\nthree").replace("--b--", ""), "\nfour").replace(
        "--a--", ""
    )
    assert [part.whole for part in leaves(parse(mail.encode()))] == [True, True, True, False]


def test_what_is_in_a_report_says_so() -> None:
    mail = multipart("a", "\none", multipart("b", multipart("c", "\ntwo"), kind="report"))
    assert [(part.body, part.in_report) for part in leaves(parse(mail.encode()))] == [("one", False), ("two", True)]


@pytest.mark.parametrize("mail", ["", "\n", "\n\n--a", "Content-Type: text/plain", "Content-Type\n\n", ":\n :\n"])
def test_a_mail_without_parts_is_one(mail: str) -> None:
    assert len(bodies(mail)) == 1


@pytest.mark.parametrize("given", ["", "; boundary", "; boundary=", '; boundary=""', "; border=a", "; boundary=b"])
def test_without_its_boundary_a_multipart_has_no_parts(given: str) -> None:
    assert bodies(f"Content-Type: multipart/mixed{given}\n\n--a\n\none\n--a--\n") == []


def test_parts_deeper_than_the_limit_are_passed_over() -> None:
    mail = "\none"
    for depth in range(DEEPEST):
        mail = multipart(f"b{depth}", mail)
    assert bodies(mail) == ["one"]
    assert bodies(multipart("last", mail)) == []


def test_fields_are_found_in_any_case_folded_and_between_rubbish() -> None:
    text = "From somebody\nA-b : one\n two\nrubbish\n\x00: x\nB:\na-B: three\nÄ: y\n"
    assert fields_of(text) == {"a-b": "one\n two", "b": ""}


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("7bit", "a", "a"),
        ("8bit", "ö".encode().decode("latin-1"), "ö"),
        ("8bit", "\xf6", "ö"),
        ("Base64 (comment)", "w7Y=", "ö"),
        ("base64", "w7Y", "ö"),
        ("base64", "w7YhI", "ö!"),
        ("base64", "=*\n", ""),
        ("quoted-printable", "=C3=B6=\n=0D=0A=Z", "ö\n=Z"),
        ("unheard-of", "a", "a"),
    ],
)
def test_the_content_is_decoded_as_far_as_it_can_be(encoding: str, body: str, text: str) -> None:
    assert content(Part({"content-transfer-encoding": encoding}, body)) == text


@pytest.mark.parametrize(
    ("value", "without"),
    [("(a) b (c (d) e)", "b"), ('"(a)" (b', '"(a)" (b'), (")(", ")("), ("((((", "((((")],
)
def test_comments_are_left_out(value: str, without: str) -> None:
    assert bare(value) == without
