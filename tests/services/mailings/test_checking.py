"""The whole file is checked before anything is sent, and each bad row is named with its line."""

from __future__ import annotations

import io

import openpyxl
import pytest

from tests.queue.rows import artifacts, job
from tests.services.mailings.ground import mailing, parts, people, run, submit, template
from tests.smtp_server import SmtpServer
from webapi.extensions import db
from webapi.models import User
from webapi.services.mail import suppressions

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture(autouse=True)
def _template(owner: User) -> None:
    template()


BAD = [
    ("nobody,Nobody,1", "nobody: this is not one email address"),
    ('"bob@example.com, eve@example.com",Both,1', "this is not one email address"),
    ("zoe@example.com,,1", "first_name is empty, and the template needs it."),
    ("person0@example.com,Again,1", "person0@example.com stands on line 2 already."),
    ("Person1@Example.com,Again,1", "stands on line 3 already."),
    ("short@example.com,Short", "The row has 2 cells, the header has 3."),
    (",Nobody,1", "The column email is empty."),
    ('line@example.com,"two\nlines",1', "Use one line"),
]


def test_sixty_bad_rows_among_twenty_thousand_are_each_named_with_their_line(mail_server: SmtpServer) -> None:
    bad = [f"nobody{number},Nobody,1" for number in range(60)]
    lines = people(19_940).splitlines()
    places = [
        lines.index(f"person{number * 300}@example.com,Person {number * 300},{number * 300}.00") for number in range(60)
    ]
    for place, row in zip(reversed(places), reversed(bad), strict=True):
        lines.insert(place, row)
    row = mailing(submit("\n".join(lines)))
    assert (row.state, row.findings["rows"], row.findings["good"], row.findings["bad"]) == (
        "checked",
        20_000,
        19_940,
        60,
    )
    assert [fault["line"] for fault in row.findings["faults"]] == [lines.index(each) + 1 for each in bad]
    assert [artifact.name for artifact in artifacts(row.id)] == ["bad-rows.csv"]
    assert parts(row.id) == []
    assert mail_server.stored == []


@pytest.mark.parametrize(("line", "sentence"), BAD)
def test_a_bad_row_says_what_is_wrong_with_it(line: str, sentence: str) -> None:
    row = mailing(submit(people(2, line)))
    (fault,) = row.findings["faults"]
    assert fault["line"] == 4
    assert sentence in fault["fault"]


DOUBTFUL = [
    ("ann@gmial.com,Ann,1", "Did you mean gmail.com?"),
    ("ann@example.com,NULL,1", "first_name is 'NULL', which looks like no value."),
    ("ann@example.com,#N/A,1", "first_name is '#N/A', which looks like no value."),
    ("ann@example.com,JÃ¼rgen,1", "first_name looks like text that was read with the wrong encoding."),
    ("ann@example.com,<b>Ann</b>,1", "first_name holds markup, which the reader will see as it is."),
    ("ann@example.com,{{sum}},1", "first_name holds markup, which the reader will see as it is."),
    (f"ann@example.com,{'x' * 201},1", "first_name is 201 characters long."),
]


@pytest.mark.parametrize(("line", "sentence"), DOUBTFUL)
def test_a_row_that_looks_like_a_mistake_is_shown_and_may_be_sent(line: str, sentence: str) -> None:
    found = mailing(submit(people(2, line))).findings
    assert (found["good"], found["bad"], found["doubtful"]) == (3, 0, 1)
    assert found["doubts"][0]["line"] == 4
    assert found["doubts"][0]["doubts"] == [sentence]


def test_the_first_and_the_longest_are_kept_for_a_look() -> None:
    found = mailing(submit(people(3, "ann@example.com,Ann with a very long name,1", "bo@example.com,Bo,2"))).findings
    assert (found["first"]["address"], found["longest"]["address"]) == ("person0@example.com", "ann@example.com")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name,sum\nAda,1\n", "The file has no column 'email'. Its columns are: name, sum."),
        ("email,sum\nada@example.com,1\n", "The template needs first_name, and the file has no such column."),
        ("email,first_name,sum\nnobody,Ada,1\n", "No row of the file can be mailed."),
        ("", "empty"),
        ("\x89PNG\r\n\x1a\n", "."),
    ],
)
def test_a_file_that_cannot_be_mailed_says_why(content: str, sentence: str) -> None:
    row = mailing(submit(content.encode("latin-1")))
    assert (row.state, row.recipients_sha256) == ("faulty", None)
    assert sentence in row.findings["problem"]


def test_columns_are_found_by_the_names_that_people_write(mail_server: SmtpServer) -> None:
    run(submit("E-Mail;First Name;SUM\nada@example.com;Ada;1\n", confirm="now"))
    body = mail_server.stored[0].message.get_body(("html",))
    assert body is not None
    assert "Dear Ada, you owe 1." in body.get_content()


def test_another_column_may_hold_the_addresses(mail_server: SmtpServer) -> None:
    content = "email,partner,first_name,sum\nada@example.com,bob@example.com,Bob,1\n"
    run(submit(content, confirm="now", address_column="Partner"))
    assert [mail.recipients for mail in mail_server.stored] == [("bob@example.com",)]


def test_who_is_on_the_list_of_the_suppressed_is_counted_before() -> None:
    suppressions.add(db.session.scalars(db.select(User.id)).one(), "PERSON1@example.com", "manual")
    assert mailing(submit(people(3))).findings["suppressed"] == 1


def test_now_sends_nothing_while_a_row_is_bad_unless_bad_rows_are_left_out(mail_server: SmtpServer) -> None:
    mailing_id = submit(people(3, "nobody,Nobody,1"), confirm="now")
    assert (job(mailing_id).state, mail_server.stored) == ("failed", [])
    said = job(mailing_id).error_public or ""
    assert said.startswith("1 of 4 rows cannot be mailed, the first on line 5: nobody: this is not one email address")
    assert said.endswith(f"all of them are at http://127.0.0.1:5000/mailings/{mailing_id}.")
    run(submit(people(4, "nobody,Nobody,1"), confirm="now", leave_out_bad=True))
    assert len(mail_server.stored) == 4


def test_a_workbook_is_as_good_as_a_csv(mail_server: SmtpServer) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for cells in (["email", "first_name", "sum"], ["ada@example.com", "Ada", 12], ["bob@example.com", "Bob", 3.5]):
        book.active.append(cells)
    book.save(file)
    run(submit(file.getvalue(), name="people.xlsx", confirm="now"))
    assert sorted(mail.message["Subject"] for mail in mail_server.stored) == ["For Ada", "For Bob"]
