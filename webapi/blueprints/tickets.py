"""Pages behind links that work once: an invitation, a new address. Whoever has the link may use it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field

from webapi.blueprints import identity, reading
from webapi.blueprints.recovery import NewPassword
from webapi.errors import Invalid
from webapi.extensions import limiter
from webapi.services import invitations, new_address
from webapi.services.addresses import Line

bp = APIBlueprint("tickets", __name__, enable_openapi=False)


class Newcomer(NewPassword):
    """The address and the role are the invitation's."""

    name: Line = Field(min_length=1, max_length=100)


@bp.get("/invitation/<token>")
def invitation(token: str) -> ResponseReturnValue:
    return _invitation(token, {})


@bp.post("/invitation/<token>")
@limiter.limit("20/hour")
def accept(token: str) -> ResponseReturnValue:
    given = {name: value for name, value in request.form.items() if name != "csrf_token"}
    try:
        wanted = reading.values(Newcomer, given)
    except Invalid as error:
        faults = {fault.pointer.strip("/"): fault.message for fault in error.faults}
        return _invitation(token, faults), 422
    identity.sign_in(invitations.accept(token, wanted.name, wanted.password.get_secret_value()))
    flash("Your account is made.")
    return redirect(url_for("jobs.overview"), 303)


@bp.get("/account/address/<token>")
def address(token: str) -> ResponseReturnValue:
    """Mail scanners open links, so that opening one changes nothing."""
    return _private(render_template("tickets/address.html", ticket=new_address.asked(token)))


@bp.post("/account/address/<token>")
@limiter.limit("20/hour")
def change_address(token: str) -> ResponseReturnValue:
    email = new_address.confirm(token)
    flash(f"The address of your account is {email} now.")
    return redirect(url_for("account.index"), 303)


def _invitation(token: str, faults: dict[str, str]) -> Response:
    ticket = invitations.invited(token)
    return _private(render_template("tickets/invitation.html", ticket=ticket, faults=faults, given=request.form))


def _private(page: str) -> Response:
    """The link is in the address: no other site is told of it."""
    response = make_response(page)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
