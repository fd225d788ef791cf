"""Pages of a person's own account: each attack on it first, then what it is for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.blueprints.routes import Route, routes
from tests.blueprints.site import Browser, Site
from tests.conftest import Person
from webapi.extensions import db
from webapi.models import Job, SignIn, Ticket, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.services import new_address, recovery, sessions, tickets

pytestmark = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="module")
NEW = "another long one"
ROUTES = [each for safe in (True, False) for each in routes(safe=safe) if each.endpoint.startswith("account.")]
COOKIE = "session"


@pytest.fixture
def grace(site: Site) -> Person:
    """Somebody of this test's own."""
    with site.app.app_context():
        number = len(list(db.session.scalars(select(User.id))))
    return Person(site.app, f"grace{number}@example.com")


@pytest.fixture
def hers(site: Site, grace: Person) -> Browser:
    return Browser(site.app, grace)


def copy_of(site: Site, browser: Browser) -> Browser:
    """A thief's browser with the same cookie."""
    thief, cookie = Browser(site.app), browser.client.get_cookie(COOKIE)
    assert cookie is not None
    thief.client.set_cookie(COOKIE, cookie.value)
    return thief


def is_in(browser: Browser) -> bool:
    return browser.get("/keys").status_code == 200


def change(browser: Browser, current: str = Person.password, new: str = NEW) -> TestResponse:
    return browser.post("/account/password", {"current": current, "password": new})


def user(site: Site, person: Person) -> User:
    with site.app.app_context():
        row = db.session.get_one(User, person.id)
        db.session.expunge(row)
        return row


def kinds(site: Site, person: Person) -> list[str]:
    with site.app.app_context():
        return list(db.session.scalars(select(Job.kind).where(Job.owner_id == person.id).order_by(Job.id)))


def test_a_copied_cookie_is_dead_after_a_change_of_the_password_and_the_one_who_changed_it_stays(
    site: Site, grace: Person, hers: Browser
) -> None:
    thief, elsewhere = copy_of(site, hers), Browser(site.app, grace)
    assert is_in(thief)
    assert change(hers).status_code == 303
    assert (is_in(hers), is_in(thief), is_in(elsewhere)) == (True, False, False)
    assert kinds(site, grace) == ["email.password_changed"]


def test_a_copied_cookie_is_dead_after_a_mailed_link_set_another_password(
    site: Site, grace: Person, hers: Browser
) -> None:
    thief = copy_of(site, hers)
    with site.app.app_context():
        path = f"/reset/{recovery.token(grace.row)}"
    assert Browser(site.app).post(path, {"password": NEW}).status_code == 303
    assert (is_in(thief), is_in(hers)) == (False, False)


@pytest.mark.parametrize(("current", "new"), [("wrong", NEW), ("", NEW), (Person.password, "short")])
def test_without_the_password_or_with_a_poor_one_nothing_changes(
    site: Site, grace: Person, hers: Browser, current: str, new: str
) -> None:
    before = user(site, grace)
    answer = change(hers, current, new)
    assert (answer.status_code, 'class="fault"' in answer.text) == (422, True)
    assert user(site, grace).password_hash == before.password_hash
    assert is_in(hers)


def test_what_was_typed_as_a_password_is_never_shown(hers: Browser) -> None:
    for page in (change(hers, "a-secret-typed", "short"), ask(hers, password="a-secret-typed")):
        assert "a-secret-typed" not in page.text


def ask(browser: Browser, email: str = "new@example.com", password: str = Person.password) -> TestResponse:
    return browser.post("/account/address", {"email": email, "password": password})


def test_a_taken_address_is_answered_like_a_free_one(site: Site, grace: Person, hers: Browser) -> None:
    said = set()
    for email in ("free@example.com", site.eve.email):
        answer = ask(hers, email)
        (flashed,) = re.findall(r'role="status">([^<]+)<', hers.get("/account").text)
        said.add((answer.status_code, answer.location, flashed.replace(email, "")))
    assert said == {(303, "/account", "We have sent a mail to . The address changes once the link in it is opened.")}
    assert kinds(site, grace) == ["email.new_address", "email.address_asked"] * 2


def test_the_address_is_not_changed_without_the_password_or_the_link(site: Site, grace: Person, hers: Browser) -> None:
    assert ask(hers, password="wrong").status_code == 422
    assert kinds(site, grace) == []
    ask(hers)
    assert user(site, grace).email == grace.email


def link(site: Site, grace: Person, email: str) -> str:
    with site.app.app_context():
        new_address.ask(grace.row, email)
        ticket = db.session.scalars(select(Ticket).where(Ticket.user_id == grace.id)).one()
        return f"/account/address/{tickets.token(ticket)}"


def test_a_mail_scanner_changes_no_address_and_a_click_does_once(
    site: Site, grace: Person, hers: Browser, visitor: Browser
) -> None:
    """Whoever reads the new address may be signed in elsewhere, or nowhere."""
    path = link(site, grace, f"new-{grace.email}")
    pages = [visitor.get(path) for _ in range(2)]
    assert [(page.status_code, page.headers["Referrer-Policy"]) for page in pages] == [(200, "no-referrer")] * 2
    assert user(site, grace).email == grace.email
    assert visitor.post(path).status_code == 303
    assert user(site, grace).email == f"new-{grace.email}"
    assert visitor.post(path).status_code == 404
    assert visitor.get("/account/address/forged").status_code == 404


@pytest.mark.parametrize("email", ["x", "a@example.com, b@example.com", "a@example.com\r\nBcc: b@example.com", ""])
def test_one_field_is_one_address(site: Site, grace: Person, hers: Browser, email: str) -> None:
    assert ask(hers, email).status_code == 422
    assert kinds(site, grace) == []


def test_a_session_is_ended_and_its_copies_with_it(site: Site, grace: Person, hers: Browser) -> None:
    elsewhere = Browser(site.app, grace)
    thief = copy_of(site, elsewhere)
    (path,) = re.findall(r'action="(/account/sessions/[0-9a-f-]+/end)"', hers.get("/account").text)
    assert hers.post(path).status_code == 303
    assert (is_in(hers), is_in(elsewhere), is_in(thief)) == (True, False, False)


def test_all_other_sessions_are_ended(site: Site, grace: Person, hers: Browser) -> None:
    others = [Browser(site.app, grace) for _ in range(2)]
    assert hers.post("/account/sessions/end-others").status_code == 303
    assert [is_in(browser) for browser in (hers, *others)] == [True, False, False]


def test_signing_out_here_ends_nothing_elsewhere(site: Site, grace: Person, hers: Browser) -> None:
    elsewhere = Browser(site.app, grace)
    hers.post("/logout")
    assert (is_in(hers), is_in(elsewhere)) == (False, True)


def test_the_list_says_which_browsers_and_shows_what_they_claim_escaped(site: Site, grace: Person) -> None:
    for agent in ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "<script>alert(1)</script>"):
        browser = Browser(site.app)
        form = {"email": grace.email, "password": Person.password}
        browser.post("/login", form, headers={"User-Agent": agent})
    page = browser.get("/account").text
    assert "Firefox on Linux" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_recent_activity_is_ones_own(site: Site, grace: Person, hers: Browser) -> None:
    change(hers)
    change(hers, "wrong")
    page = hers.get("/account").text
    assert "The password was changed" in page
    assert "Somebody gave a wrong password" in page
    assert "The password was changed" not in Browser(site.app, site.eve).get("/account").text


def test_the_name_is_changed(site: Site, grace: Person, hers: Browser) -> None:
    assert hers.post("/account/name", {"name": "Grace Hopper"}).status_code == 303
    assert user(site, grace).name == "Grace Hopper"
    for wrong in ("", "x" * 101, "Grace\r\nBcc: eve@example.com"):
        assert hers.post("/account/name", {"name": wrong}).status_code == 422


@pytest.mark.parametrize("more", [{"role": "administrator"}, {"is_admin": "1"}, {"email": "x@example.com"}])
def test_nobody_makes_themselves_more_than_they_are(
    site: Site, grace: Person, hers: Browser, more: dict[str, str]
) -> None:
    for path, form in (("/account/name", {"name": "x"}), ("/account/password", {"current": "x", "password": NEW})):
        assert hers.post(path, {**form, **more}).status_code == 422
    assert (user(site, grace).role, user(site, grace).email) == ("user", grace.email)


def test_the_account_goes_with_its_password_only(site: Site, grace: Person, hers: Browser) -> None:
    assert hers.post("/account/delete", {"password": "wrong"}).status_code == 422
    assert "API keys: 1" in hers.get("/account/delete").text
    answer = hers.post("/account/delete", {"password": Person.password})
    assert (answer.status_code, answer.location) == (303, "/login")
    assert not is_in(hers)
    assert site.program.get("/api/v1/me", headers=grace.headers).status_code == 401


def make_stale(site: Site, person: Person) -> None:
    with site.app.app_context(), writing() as session:
        stale = update(SignIn).where(SignIn.user_id == person.id)
        session.execute(stale.values(confirmed_at=after(-sessions.CONFIRMED - 1)))


def test_a_page_that_was_left_open_makes_no_key_until_the_password_is_given_again(
    site: Site, grace: Person, hers: Browser
) -> None:
    make_stale(site, grace)
    asked = hers.post("/keys", {"name": "x"})
    assert (asked.status_code, asked.location) == (303, "/account/confirm?next=/keys")
    assert hers.post(asked.location, {"password": "wrong"}).status_code == 422
    assert hers.post("/keys", {"name": "x"}).status_code == 303
    assert hers.post(asked.location, {"password": Person.password}).location == "/keys"
    assert hers.post("/keys", {"name": "x"}).status_code == 201


def test_confirming_leads_to_no_other_site(hers: Browser) -> None:
    answer = hers.post("/account/confirm?next=//evil.example", {"password": Person.password})
    assert answer.location == "/"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_key_opens_none_of_it(site: Site, route: Route) -> None:
    answer = site.program.open(route.path(), method=route.method, data={"password": "x"}, headers=site.ada.headers)
    assert (answer.status_code, "An API key may not do this." in answer.text) == (403, True)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_visitor_is_sent_to_sign_in(visitor: Browser, route: Route) -> None:
    form: dict[str, Any] = {} if route.method == "GET" else {"data": {"csrf_token": visitor.token()}}
    answer = visitor.client.open(route.path(), method=route.method, **form)
    assert answer.status_code == (302 if route.method == "GET" else 401)
