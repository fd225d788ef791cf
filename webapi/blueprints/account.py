"""Pages: a person's own account. A key opens none of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user
from pydantic import BaseModel, Field, SecretStr

from webapi.blueprints import identity, reading
from webapi.blueprints.accounts import inside
from webapi.blueprints.identity import require_person, session_only, this_session
from webapi.blueprints.recovery import NewPassword
from webapi.errors import Invalid
from webapi.extensions import limiter, pseudonym
from webapi.services import new_address, own_account, sessions, trail, usage
from webapi.services.addresses import Address, Line

bp = APIBlueprint("account", __name__, url_prefix="/account", enable_openapi=False)
bp.before_request(require_person)


class Name(BaseModel):
    name: Line = Field(min_length=1, max_length=100)


class NewAddress(BaseModel):
    email: Address
    password: SecretStr


class Change(NewPassword):
    current: SecretStr


def _whose() -> str:
    """Whose password is tried, by the signed cookie: asking the database here could fail, and nothing may then."""
    return pseudonym(str(session.get(identity.COOKIE, "")).partition(":")[0])


# However many doors ask for a password, and from however many addresses it is guessed.
guesses = limiter.shared_limit("20/hour", scope="password of an account", key_func=_whose)


@bp.get("")
def index() -> ResponseReturnValue:
    return _draw()


@bp.post("/name")
def rename() -> ResponseReturnValue:
    user = session_only()
    try:
        own_account.rename(user, reading.values(Name, _form()).name)
    except Invalid as error:
        return _draw(error), 422
    flash("Your name is changed.")
    return redirect(url_for("account.index"), 303)


@bp.post("/address")
@guesses
@limiter.limit("5/hour", key_func=_whose)
def ask_address() -> ResponseReturnValue:
    user = session_only()
    try:
        wanted = reading.values(NewAddress, _form())
        own_account.check_password(user, wanted.password.get_secret_value())
    except Invalid as error:
        return _draw(error, "address-"), 422
    new_address.ask(user, wanted.email)
    flash(f"We have sent a mail to {wanted.email}. The address changes once the link in it is opened.")
    return redirect(url_for("account.index"), 303)


@bp.post("/password")
@guesses
def change_password() -> ResponseReturnValue:
    user = session_only()
    try:
        wanted = reading.values(Change, _form())
        own_account.change_password(user, wanted.current.get_secret_value(), wanted.password.get_secret_value())
    except Invalid as error:
        return _draw(error, "password-"), 422
    identity.sign_in(user)
    flash("Your password is changed. All other sessions are ended.")
    return redirect(url_for("account.index"), 303)


@bp.post("/sessions/<uuid:session_id>/end")
def end_session(session_id: UUID) -> ResponseReturnValue:
    sessions.end(session_only(), session_id)
    flash("The session is ended.")
    return redirect(url_for("account.index"), 303)


@bp.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    sessions.end_others(session_only(), session[identity.COOKIE])
    flash("All other sessions are ended.")
    return redirect(url_for("account.index"), 303)


@bp.get("/confirm")
def confirm_form() -> ResponseReturnValue:
    """The password once more, before what is worth it."""
    session_only()
    return render_template("account/confirm.html", fault=None)


@bp.post("/confirm")
@guesses
def confirm() -> ResponseReturnValue:
    try:
        own_account.check_password(session_only(), request.form.get("password", ""))
    except Invalid as error:
        return render_template("account/confirm.html", fault=error.faults[0].message), 422
    sessions.confirm(this_session())
    return redirect(inside(request.args.get("next")), 303)


@bp.get("/delete")
def delete_form() -> ResponseReturnValue:
    return render_template("account/delete.html", goes=own_account.what_goes(session_only()), fault=None)


@bp.post("/delete")
@guesses
def delete() -> ResponseReturnValue:
    user = session_only()
    try:
        own_account.check_password(user, request.form.get("password", ""))
    except Invalid as error:
        goes = own_account.what_goes(user)
        return render_template("account/delete.html", goes=goes, fault=error.faults[0].message), 422
    own_account.delete_account(user)
    logout_user()
    session.clear()
    flash("The account is deleted.")
    return redirect(url_for("accounts.login"), 303)


def _form() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name != "csrf_token"}


def _draw(error: Invalid | None = None, form: str = "") -> str:
    """The page, with what is wrong beside its field. `form` tells fields of one name apart."""
    user, here = session_only(), this_session()
    faults = {form + fault.pointer.strip("/"): fault.message for fault in (error.faults if error else ())}
    rows: list[dict[str, Any]] = [
        {"row": row, "browser": sessions.described(row.user_agent), "here": row.public_id == here.public_id}
        for row in sessions.of(user)
    ]
    return render_template(
        "account/index.html",
        user=user,
        faults=faults,
        given=request.form,
        sessions=rows,
        recent=trail.of(user),
        usage=usage.of(user),
    )
