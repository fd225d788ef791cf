"""Who is asking: a person by their session cookie, a program by its API key."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, Response, g, redirect, request, url_for
from flask_login import current_user

from webapi.errors import Forbidden, NotSignedIn
from webapi.extensions import csrf, login
from webapi.models import User
from webapi.services import accounts, keys

SCHEME = "Bearer "
PROGRAMS = {"api_kinds", "api_bulk", "api_jobs", "api_schedules", "api_uploads", "api_me", "tutorial"}
PROGRAMS |= {
    "api_templates",
    "api_senders",
    "api_suppressions",
    "api_mailings",
    "api_bounces",
    "api_datasets",
    "api_reports",
}
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
# The link itself proves what it may do, and a mail program has no cookie (RFC 8058 section 3.2).
SIGNED_LINKS = {"mail_links.end"}


def init_app(app: Flask) -> None:
    login.user_loader(_by_session)
    login.request_loader(_by_key)
    login.unauthorized_handler(_not_signed_in)
    app.before_request(_check_csrf)
    app.before_request(_keep_test_keys_in)


def me() -> User:
    """Who is asking. Raises NotSignedIn when it is nobody."""
    if not current_user.is_authenticated:
        raise NotSignedIn
    return cast(User, current_user._get_current_object())


def require_person() -> Response | None:
    """For pages: send visitors to the sign-in page, and back afterwards."""
    return None if current_user.is_authenticated else _not_signed_in()


def require_anyone() -> None:
    """For programs: a key or a session, or 401."""
    me()


def session_only() -> User:
    """For what a key must not do, such as making keys. Raises Forbidden when a key asks."""
    user = me()
    if g.get("key_used"):
        raise Forbidden("An API key may not do this. Sign in as a person.")
    return user


def sandbox() -> bool:
    """Whether it is a test key that asks: what it submits is only played, and nothing leaves."""
    return bool(current_user.is_authenticated and g.get("test_key"))


def check_sandbox(inside: bool) -> None:
    """Before something acts on the world: a test key may make that happen `inside` the sandbox only.

    Raises Forbidden.
    """
    if sandbox() and not inside:
        raise Forbidden("A test key lets nothing leave. Use a live key for this.")


def _by_session(session_id: str) -> User | None:
    """A key that comes with a cookie decides alone: whoever sends one means it, also when it was revoked."""
    return _by_key(request) if _has_key() else accounts.by_session(session_id)


def _has_key() -> bool:
    return request.headers.get("Authorization", "").startswith(SCHEME)


def _by_key(_: Any) -> User | None:
    """A key that does not work is 401, and never taken for no key."""
    if not _has_key():
        return None
    g.key_used = True
    token = request.headers["Authorization"].removeprefix(SCHEME).strip()
    user = keys.owner_of(token)
    g.test_key = keys.is_test(token)
    if user is None:
        raise NotSignedIn("This API key does not work. It may have been revoked.")
    return user


def _check_csrf() -> None:
    """A browser sends cookies by itself, never an Authorization header: only requests without one are checked.

    A program that forgot its key is told so by the view; a token would not help it.
    """
    if request.method in SAFE or request.endpoint is None:
        return
    if request.endpoint in SIGNED_LINKS:
        return
    nobody = request.blueprint in PROGRAMS and not _has_key() and not current_user.is_authenticated
    if not _has_key() and not nobody:
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
