"""Pages: a new password for somebody who forgot theirs."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, SecretStr, field_validator

from webapi.blueprints import reading
from webapi.errors import Invalid
from webapi.extensions import limiter, pseudonym
from webapi.services import passwords, recovery

bp = APIBlueprint("recovery", __name__, url_prefix="/reset", enable_openapi=False)


class NewPassword(BaseModel):
    password: SecretStr

    @field_validator("password")
    @classmethod
    def _acceptable(cls, password: SecretStr) -> SecretStr:
        passwords.acceptable(password.get_secret_value())
        return password


def _account() -> str:
    """Whom mails are asked for, so that nobody's inbox is filled from however many addresses."""
    return pseudonym(request.form.get("email", "").lower())


@bp.get("")
def form() -> ResponseReturnValue:
    return render_template("accounts/reset.html", asked=None)


@bp.post("")
@limiter.limit("20/hour")
@limiter.limit("3/hour", key_func=_account)
def ask() -> ResponseReturnValue:
    email = request.form.get("email", "")[:320]
    recovery.ask(email)
    return render_template("accounts/reset.html", asked=email)


@bp.get("/<token>")
def choose(token: str) -> ResponseReturnValue:
    recovery.person(token)
    return _form(None)


@bp.post("/<token>")
@limiter.limit("20/hour")
def change(token: str) -> ResponseReturnValue:
    try:
        wanted = reading.values(NewPassword, {"password": request.form.get("password", "")})
    except Invalid as error:
        return _form(error.faults[0].message), 422
    recovery.reset(token, wanted.password.get_secret_value())
    flash("Your password is changed. Sign in with it.")
    return redirect(url_for("accounts.login"), 303)


def _form(fault: str | None) -> Response:
    """The link is in the address: no other site is told of it."""
    response = make_response(render_template("accounts/choose.html", fault=fault))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
