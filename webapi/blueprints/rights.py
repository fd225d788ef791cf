"""What a role and a key may do: one table, asked before every view. What is in no table is closed.

A viewer looks and changes nothing. A key needs a scope: `read` for what only answers, `submit` for what hands in work,
`manage` for everything else. A key that is bound to a kind reaches the doors of jobs alone; which jobs, the services
see to (`User.only_kind`).
"""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask
from flask import request
from flask_login import current_user

from webapi.errors import Forbidden, InsufficientScope
from webapi.models import Role, Scope
from webapi.services.holders import Holder

SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
# Doors for programs: here nobody is sent to sign in.
PROGRAMS = {"api_kinds", "api_bulk", "api_jobs", "api_schedules", "api_uploads", "api_me", "tutorial"}
PROGRAMS |= {
    "api_templates",
    "api_senders",
    "api_suppressions",
    "api_mailings",
    "api_bounces",
    "api_datasets",
    "api_reports",
    "api_batches",
    "api_keys",
}
# Blueprints whose pages a key opens too, as it opens the API. At those in no list it opens nothing.
PAGES = {"jobs", "live", "schedules", "reports", "datasets", "mailings", "templates", "addresses", "files"}
# Blueprints that ask nobody who they are, or that ask for a person and refuse keys themselves.
UNASKED = {
    None,
    "openapi",
    "health",
    "inbox",
    "mail_links",
    "metrics",
    "accounts",
    "recovery",
    "tickets",
    "account",
    "keys",
    "docs",
    "system",
    "zone",
}
# What hands in work, by its endpoint.
SUBMITS = {
    "api_jobs.submit",
    "api_batches.submit",
    "api_uploads.create",
    "api_mailings.create",
    "tutorial.process",
    "jobs.submit",
}
# Blueprints and endpoints that a key which is bound to a kind may use.
OF_ONE_KIND = {"api_kinds", "api_jobs", "api_batches", "api_bulk", "api_uploads", "api_me", "tutorial"}
# What a viewer may do although it changes something: come and go, and guard their own account.
VIEWERS_MAY = {"accounts.sign_in", "accounts.create", "accounts.logout", "accounts.resend", "recovery.ask"}
VIEWERS_MAY |= {"recovery.change", "mail_links.end", "mail_links.sender", "tickets.accept"}
VIEWERS_MAY |= {"account.confirm", "account.change_password", "account.end_session", "account.end_others"}

WORDS = {
    Scope.READ: "may not read",
    Scope.SUBMIT: "may not submit jobs",
    Scope.MANAGE: "may not change what is there",
}


def init_app(app: APIFlask) -> None:
    """After whoever asks is known. The OpenAPI document gets each operation's scope as `x-scope`."""
    app.before_request(_check)


def document(app: APIFlask) -> None:
    """Once every door is there."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        method = next((each for each in rule.methods or () if each not in SAFE), "GET")
        if rule.endpoint.rpartition(".")[0] in PROGRAMS and (scope := scope_of(rule.endpoint, method)):
            spec: dict[str, Any] = view.__dict__.setdefault("_spec", {})
            spec["extensions"] = {**(spec.get("extensions") or {}), "x-scope": str(scope)}


def scope_of(endpoint: str, method: str) -> Scope | None:
    """What a key needs here; None where a key opens nothing."""
    blueprint = endpoint.rpartition(".")[0]
    if blueprint not in PROGRAMS | PAGES:
        return None
    if endpoint in SUBMITS:
        return Scope.SUBMIT
    return Scope.READ if method in SAFE else Scope.MANAGE


def _check() -> None:
    """First what the key may do, then what the person may."""
    endpoint, method = request.endpoint, request.method
    if endpoint is None:
        return
    blueprint = endpoint.rpartition(".")[0] or None
    # Whoever reads the key says whether there is one: the header's text may be spelled in more ways than one.
    if blueprint not in UNASKED and isinstance(holder := current_user._get_current_object(), Holder):
        _check_key(holder, endpoint, method)
    if method not in SAFE and endpoint not in VIEWERS_MAY:
        _check_role()


def _check_key(holder: Holder, endpoint: str, method: str) -> None:
    """Raises InsufficientScope; what a key's kind allows beyond the doors is for the services to see to."""
    scope = scope_of(endpoint, method)
    if scope is None:
        raise Forbidden("An API key may not do this. Sign in as a person.")
    if not holder.allows(scope):
        raise InsufficientScope(f"This key {WORDS[scope]}: it needs the scope {scope!s}.", scope)
    if holder.only_kind is not None and endpoint.rpartition(".")[0] not in OF_ONE_KIND:
        raise InsufficientScope(f"This key is for jobs of the kind {holder.only_kind} alone.", scope)


def _check_role() -> None:
    if current_user.is_authenticated and current_user.role == Role.VIEWER:
        raise Forbidden("You may look at what is here and change nothing: your role is viewer.")
