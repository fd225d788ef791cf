"""Pages: register, sign in and out, confirm an address."""

from __future__ import annotations

from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import BaseModel, Field, SecretStr, field_validator

from webapi.blueprints import identity, reading
from webapi.blueprints.identity import me
from webapi.errors import Invalid
from webapi.extensions import limiter, pseudonym
from webapi.services import accounts, passwords
from webapi.services.addresses import Address, Line

bp = APIBlueprint("accounts", __name__, enable_openapi=False)


class Registration(BaseModel):
    name: Line = Field(min_length=1, max_length=100)
    email: Address
    password: SecretStr

    @field_validator("password")
    @classmethod
    def _acceptable(cls, password: SecretStr) -> SecretStr:
        passwords.acceptable(password.get_secret_value())
        return password


@bp.get("/register")
def register() -> ResponseReturnValue:
    return render_template("accounts/register.html", faults={}, given={})


@bp.post("/register")
@limiter.limit("20/hour")
def create() -> ResponseReturnValue:
    try:
        wanted = reading.values(Registration, _form())
    except Invalid as error:
        faults = {fault.pointer.strip("/"): fault.message for fault in error.faults}
        return render_template("accounts/register.html", faults=faults, given=request.form), 422
    accounts.register(wanted.email, wanted.name, wanted.password.get_secret_value())
    return render_template("accounts/registered.html", email=wanted.email)


def _account() -> str:
    """Whose password is tried, so that guessing slows down from however many addresses it comes."""
    return pseudonym(request.form.get("email", "").lower())


@bp.get("/login")
def login() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(inside(request.args.get("next")))
    return render_template("accounts/login.html", email="", wrong=False)


@bp.post("/login")
@limiter.limit("10/minute;60/hour")
@limiter.limit("20/hour", key_func=_account)
def sign_in() -> ResponseReturnValue:
    email = request.form.get("email", "")
    user = accounts.authenticate(email, request.form.get("password", ""))
    if user is None:
        return render_template("accounts/login.html", email=email, wrong=True), 422
    identity.sign_in(user)
    return redirect(inside(request.args.get("next")))


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    me()
    identity.sign_out()
    return redirect(url_for("accounts.login"))


@bp.get("/verify/<token>")
def verify(token: str) -> ResponseReturnValue:
    """A link from a mail. Mail scanners open links: confirming twice does no harm."""
    accounts.verify(token)
    flash("Your address is confirmed.")
    return redirect(url_for("jobs.overview"))


@bp.post("/verify")
@limiter.limit("3/hour")
def resend() -> ResponseReturnValue:
    accounts.resend_welcome(me())
    flash("We have sent the link again.")
    return redirect(url_for("jobs.overview"))


def _form() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name != "csrf_token"}


def inside(target: str | None) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    home = url_for("jobs.overview")
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    parts = urlsplit(target)
    return target if not parts.netloc and not parts.scheme and "\\" not in target and target.isprintable() else home
