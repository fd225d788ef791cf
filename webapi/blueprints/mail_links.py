"""Pages behind the links in mails: whoever has the link may use it, signed in or not."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import render_template, request
from flask.typing import ResponseReturnValue

from webapi.blueprints.answers import saved
from webapi.services.mail import attachments, senders, unsubscribe

bp = APIBlueprint("mail_links", __name__, enable_openapi=False)


@bp.get("/unsubscribe/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Mail scanners open links, so that opening one ends nothing."""
    return render_template("mail_links/unsubscribe.html", found=unsubscribe.find(token), done=False)


@bp.post("/unsubscribe/<token>")
def end(token: str) -> ResponseReturnValue:
    """One click, from this page or from the reader's mail program (RFC 8058 section 3.2), which has no cookie."""
    return render_template("mail_links/unsubscribe.html", found=unsubscribe.end(token), done=True)


@bp.get("/files/<token>")
def file(token: str) -> ResponseReturnValue:
    """A file that was too large for a mail."""
    return saved(attachments.linked(token))


@bp.route("/senders/confirm/<token>", methods=["GET", "POST"])
def sender(token: str) -> ResponseReturnValue:
    """The question to whoever reads an address, and their answer."""
    confirmed = request.method == "POST"
    address = senders.confirm(token) if confirmed else senders.asked(token)
    return render_template("mail_links/sender.html", address=address, confirmed=confirmed)
