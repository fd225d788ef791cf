"""`flask users` and `flask keys`: who may come in, and as what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from tests.conftest import Person
from webapi.extensions import db
from webapi.models import ApiKey
from webapi.services import accounts, holders, invitations, trail

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


def role_of(app: Flask, email: str) -> str:
    with app.app_context():
        user = accounts.by_email(email)
        assert user is not None
        return user.role


def test_roles_are_given_and_noted(app: Flask, ada: Person, run: Run) -> None:
    for words, role in ((["role", ada.email, "viewer"], "viewer"), (["admin", ada.email], "administrator")):
        assert run("users", *words).output == f"ada@example.com is {role} now.\n"
        assert role_of(app, ada.email) == role
    with app.app_context():
        line = trail.latest(1)[0]
    assert (line.who, line.what, line.detail) == (
        "command line",
        "role.changed",
        {"before": "viewer", "now": "administrator"},
    )


@pytest.mark.parametrize(
    ("flags", "role"), [([], "user"), (["--admin"], "administrator"), (["--role", "viewer"], "viewer")]
)
def test_somebody_is_made_with_a_role(app: Flask, run: Run, flags: list[str], role: str) -> None:
    done = run("users", "create", "grace@example.com", "--password", "a long enough one", *flags)
    assert (done.exit_code, role_of(app, "grace@example.com")) == (0, role)


def test_an_invitation_is_printed(app: Flask, run: Run) -> None:
    link = run("users", "invite", "grace@example.com", "--role", "viewer").output.strip()
    with app.app_context():
        ticket = invitations.invited(link.rpartition("/")[2])
    assert link.startswith("http://127.0.0.1:5000/invitation/")
    assert (ticket.email, ticket.role) == ("grace@example.com", "viewer")


WRONG = [
    ["users", "role", "nobody@example.com", "viewer"],
    ["users", "role", "ada@example.com", "emperor"],
    ["users", "admin", "nobody@example.com"],
    ["users", "invite", "ada@example.com"],
    ["users", "invite", "nonsense"],
    ["users", "invite", "grace@example.com", "--role", "emperor"],
    ["users", "invite", "grace@example.com", "--mail"],  # nobody listens at the mail server's port
    ["keys", "create", "ada@example.com", "--scope", "all"],
    ["keys", "create", "ada@example.com", "--kind", "email.welcome"],
    ["keys", "create", "ada@example.com", "--expires", "soon"],
    ["keys", "create", "ada@example.com", "--expires", "2026-01-01"],
    ["keys", "create", "ada@example.com", "--expires", "9999-12-31"],
]


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_one_sentence_and_no_traceback(ada: Person, run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Error: " in done.output


def test_a_key_is_made_as_narrow_as_it_is_asked_for(app: Flask, ada: Person, run: Run) -> None:
    flags = ["--test", "--scope", "read", "--scope", "submit", "--kind", "email.send", "--expires", "90d"]
    token = run("keys", "create", ada.email, *flags).output.strip()
    with app.app_context():
        assert holders.find(token) is not None
        key = db.session.scalars(db.select(ApiKey).order_by(ApiKey.id.desc()).limit(1)).one()
        assert (key.is_test, key.scopes, key.kind) == (True, "submit read", "email.send")
        assert key.expires_at is not None
        assert round((key.expires_at - key.created_at).total_seconds() / 86400) == 90
        assert trail.of(ada.row, limit=1)[0].who == "command line"


def test_a_day_counts_to_its_end_and_without_one_a_key_does_not_end(app: Flask, ada: Person, run: Run) -> None:
    for flags, ends in ((["--expires", "2099-01-31"], "2099-02-01 00:00:00+00:00"), ([], "None")):
        run("keys", "create", ada.email, "--name", "x", *flags)
        with app.app_context():
            newest = db.session.scalars(db.select(ApiKey).order_by(ApiKey.id.desc()).limit(1)).one()
            assert str(newest.expires_at) == ends
