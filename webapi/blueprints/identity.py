"""Who is asking: a person by their session cookie, a program by its API key."""

from __future__ import annotations

from typing import Any, cast

from apiflask import APIFlask
from flask import Response, g, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user

from webapi.blueprints import rights
from webapi.blueprints.rights import PROGRAMS, SAFE
from webapi.errors import Forbidden, NotSignedIn
from webapi.extensions import BEARER, csrf, db, login
from webapi.models import SignIn, User
from webapi.services import holders, sessions
from webapi.services.holders import Asker, Holder

COOKIE = "_user_id"  # where Flask-Login keeps who is signed in
# The link itself proves what it may do, and a mail program has no cookie (RFC 8058 section 3.2).
SIGNED_LINKS = {"mail_links.end"}


def init_app(app: APIFlask) -> None:
    holders.init_app(app)
    login.user_loader(_by_session)
    login.request_loader(_by_key)
    login.unauthorized_handler(_not_signed_in)
    app.before_request(_check_csrf)
    app.before_request(_keep_test_keys_in)
    rights.init_app(app)


def sign_in(user: User) -> None:
    """A new session for somebody who has just given their password, and nothing of the one before."""
    cookie = sessions.begin(user, request.headers.get("User-Agent", ""))
    if COOKIE in session:
        sessions.sign_out(session[COOKIE])
    session.clear()
    login_user(user)
    session[COOKIE] = cookie


def sign_out() -> None:
    """End this session, and whatever copies of its cookie there are."""
    sessions.sign_out(session.get(COOKIE, ""))
    logout_user()


def this_session() -> SignIn:
    """The session that asks. Raises Forbidden when a key asks, and NotSignedIn when it is nobody."""
    session_only()
    row: SignIn = g.sign_in
    return row


def confirmed() -> Response | None:
    """For what is worth more care than a page left open: None when the password was given just now, otherwise the way
    to the page that asks for it. What a form sent is not kept; its page is shown again afterwards."""
    if sessions.is_confirmed(this_session()):
        return None
    return cast(Response, redirect(url_for("account.confirm_form", next=request.path), 303))


def asker() -> Asker:
    """Who is asking, as far as it is known without a query. Raises NotSignedIn when it is nobody."""
    if not current_user.is_authenticated:
        raise NotSignedIn
    return cast(Asker, current_user._get_current_object())


def me() -> User:
    """The row of who is asking. Raises NotSignedIn when it is nobody, or nobody any more."""
    found = asker()
    if isinstance(found, User):
        return found
    row = db.session.get(User, found.id)
    if row is None:
        raise NotSignedIn
    row.keep_to(found.only_kind)
    return row


def require_person() -> Response | None:
    """For pages: send visitors to the sign-in page, and back afterwards."""
    return None if current_user.is_authenticated else _not_signed_in()


def require_anyone() -> None:
    """For programs: a key or a session, or 401."""
    asker()


def session_only() -> User:
    """For what a key must not do, such as making keys. Raises Forbidden when a key asks."""
    user = me()
    if g.get("key_used"):
        raise Forbidden("An API key may not do this. Sign in as a person.")
    return user


def sandbox() -> bool:
    """Whether it is a test key that asks: what it submits is only played, and nothing leaves."""
    return isinstance(found := current_user._get_current_object(), Holder) and found.is_test


def check_sandbox(inside: bool) -> None:
    """Before something acts on the world: a test key may make that happen `inside` the sandbox only.

    Raises Forbidden.
    """
    if sandbox() and not inside:
        raise Forbidden("A test key lets nothing leave. Use a live key for this.")


def _by_session(cookie: str) -> User | None:
    """Not asked when a key comes too: whoever sends one means it, also when it was revoked."""
    found = sessions.find(cookie)
    if found is None:
        return None
    user, g.sign_in = found
    return user


def _has_key() -> bool:
    return request.headers.get("Authorization", "").startswith(BEARER)


def _by_key(_: Any) -> Holder | None:
    """A key that does not work is 401, and never taken for no key. It is said once: the page that says it asks too."""
    if not _has_key() or g.get("key_refused"):
        return None
    g.key_used = True
    holder = holders.find(request.headers["Authorization"].removeprefix(BEARER).strip())
    if holder is None:
        g.key_refused = True
        challenge = 'Bearer realm="webapi", error="invalid_token"'
        sentence = "This API key does not work. It may have been revoked, or its time may be over."
        raise NotSignedIn(sentence, headers={"WWW-Authenticate": challenge})
    return holder


def _check_csrf() -> None:
    """A browser sends cookies by itself, never an Authorization header: only requests without one are checked.

    A program that forgot its key is told so by the view; a token would not help it.
    """
    if request.method in SAFE or request.endpoint is None or request.endpoint in SIGNED_LINKS or _has_key():
        return
    nobody = request.blueprint in PROGRAMS and not current_user.is_authenticated
    if not nobody:
        csrf.protect()


def _keep_test_keys_in() -> None:
    """The pages know no sandbox: what they do is meant."""
    if request.method in SAFE or request.endpoint is None or request.blueprint in PROGRAMS:
        return
    if _has_key():
        check_sandbox(inside=False)


def _not_signed_in() -> Response:
    if request.method != "GET" or request.blueprint in PROGRAMS:
        raise NotSignedIn
    return cast(Response, redirect(url_for("accounts.login", next=request.full_path.rstrip("?"))))
