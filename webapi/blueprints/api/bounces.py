"""Bounces for programs: whatever reads the mailbox to which mails come back hands them in here."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import request

from webapi.blueprints.api.mail_shapes import BounceOut
from webapi.blueprints.api.openapi import refuse_query
from webapi.blueprints.identity import me, require_anyone
from webapi.errors import UnsupportedMediaType
from webapi.services.mail import bounces, dsn

bp = APIBlueprint("api_bounces", __name__, tag="Bounces")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

TYPES = {"message/rfc822", "application/octet-stream", "text/plain"}


@bp.post("/bounces")
@bp.output(BounceOut)
@bp.doc(extensions={"x-body": "The mail as it came, at most 1 MB.", "x-media-type": "message/rfc822"})
def create() -> BounceOut:
    """Hand in a delivery status notification (RFC 3464) about mails of yours"""
    if request.mimetype not in TYPES:
        raise UnsupportedMediaType("Send the mail as it came, as message/rfc822.")
    request.max_content_length = dsn.MOST_BYTES
    return BounceOut.model_validate(bounces.take(me(), request.get_data()))
