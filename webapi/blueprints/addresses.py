"""Pages: the addresses from which somebody mails, and those that they never mail."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from webapi.blueprints import forms, reading
from webapi.blueprints.identity import me, require_person
from webapi.errors import Conflict, Fault, Invalid
from webapi.extensions import limiter
from webapi.services.addresses import Address, Line
from webapi.services.mail import senders, suppressions

bp = APIBlueprint("addresses", __name__, enable_openapi=False)
bp.before_request(require_person)

PAGE = 100


class NewSender(BaseModel):
    """A sender to be confirmed."""

    address: Address
    name: Line = Field("", max_length=100, description="What readers see beside the address.")
    reply_to: Address | None = Field(None, description="Where answers go; left empty, to the address itself.")


class Suppressed(BaseModel):
    """An address never to be mailed."""

    address: Address


class Listing(BaseModel):
    """A part of the list."""

    search: str = Field("", max_length=320)
    after: str = Field("", max_length=320)


@bp.get("/senders")
def sender_list() -> ResponseReturnValue:
    return _senders(None, ())


@bp.post("/senders")
@limiter.limit("10/hour")
def add_sender() -> ResponseReturnValue:
    try:
        wanted = reading.values(NewSender, forms.read(NewSender, me(), request.form, request.files))
        senders.add(me(), wanted.address, wanted.name, wanted.reply_to)
    except (Invalid, Conflict) as error:
        return _senders(request.form, error.faults or (Fault("/address", error.message),)), 422
    flash(f"We have mailed a link to {wanted.address}. Mail may come from there once it is opened.")
    return redirect(url_for("addresses.sender_list"), 303)


@bp.post("/senders/<uuid:sender_id>/delete")
def remove_sender(sender_id: UUID) -> ResponseReturnValue:
    senders.remove(me(), sender_id)
    flash("The sender is removed.")
    return redirect(url_for("addresses.sender_list"), 303)


@bp.get("/suppressions")
def suppression_list() -> ResponseReturnValue:
    return _suppressions(())


@bp.post("/suppressions")
def suppress() -> ResponseReturnValue:
    try:
        given = {"address": request.form.get("address", "").strip()}
        address = reading.values(Suppressed, given).address
    except Invalid as error:
        return _suppressions(error.faults), 422
    suppressions.add(me().id, address, "manual")
    flash(f"{address} gets no more of your mails.")
    return redirect(url_for("addresses.suppression_list"), 303)


@bp.post("/suppressions/remove")
def allow() -> ResponseReturnValue:
    suppressions.remove(me().id, request.form.get("address", ""))
    flash("Your mails go to this address again.")
    return redirect(url_for("addresses.suppression_list"), 303)


def _senders(given: object, faults: tuple[Fault, ...]) -> str:
    values = dict(given) if given else None  # type: ignore[call-overload]
    fields = forms.fields_of(NewSender, values, faults)
    own = senders.of(me().id)
    return render_template("addresses/senders.html", configured=senders.configured(), own=own, fields=fields)


def _suppressions(faults: tuple[Fault, ...]) -> str:
    wanted = reading.query(Listing, from_form=True) if request.method == "GET" else Listing()
    rows = suppressions.page(me().id, wanted.after, wanted.search, PAGE + 1)
    more = rows[PAGE - 1].address if len(rows) > PAGE else None
    return render_template(
        "addresses/suppressions.html", rows=rows[:PAGE], more=more, wanted=wanted, faults=faults,
        reasons=suppressions.SENTENCES,
    )  # fmt: skip
