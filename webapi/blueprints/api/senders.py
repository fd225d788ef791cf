"""Senders for programs: the addresses from which mail may come."""

from __future__ import annotations

from email.utils import parseaddr
from uuid import UUID

from apiflask import APIBlueprint

from webapi.blueprints import reading
from webapi.blueprints.api.mail_shapes import SenderIn, SenderList, SenderOut
from webapi.blueprints.api.openapi import refuse_query, takes_body
from webapi.blueprints.identity import check_sandbox, me, require_anyone
from webapi.extensions import limiter
from webapi.models import Sender
from webapi.services.mail import senders

bp = APIBlueprint("api_senders", __name__, tag="Senders")
bp.before_request(require_anyone)
bp.before_request(refuse_query)


@bp.get("/senders")
@bp.output(SenderList)
def index() -> SenderList:
    """List the senders that everybody has, and yours"""
    return SenderList(senders=[*map(_configured, senders.configured()), *map(_shape, senders.of(me().id))])


@bp.post("/senders")
@takes_body(SenderIn)
@bp.output(SenderOut, status_code=201)
@limiter.limit("10/hour")
def create() -> tuple[SenderOut, int]:
    """Add a sender: a mail to it asks whoever reads it for a confirmation"""
    check_sandbox(inside=False)
    wanted = reading.body(SenderIn)
    return _shape(senders.add(me(), wanted.address, wanted.name, wanted.reply_to)), 201


@bp.delete("/senders/<uuid:sender_id>")
@bp.output({}, status_code=204)
def remove(sender_id: UUID) -> tuple[str, int]:
    """Remove a sender of yours; what was accepted with it and is not sent yet fails"""
    senders.remove(me(), sender_id)
    return "", 204


def _configured(each: str) -> SenderOut:
    name, address = parseaddr(each)
    return SenderOut(id=None, address=address, name=name, reply_to=None, verified=True, created_at=None)


def _shape(row: Sender) -> SenderOut:
    return SenderOut(
        id=row.id, address=row.address, name=row.name, reply_to=row.reply_to,
        verified=row.verified_at is not None, created_at=row.created_at,
    )  # fmt: skip
