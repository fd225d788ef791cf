"""What can be submitted."""

from __future__ import annotations

from apiflask import APIBlueprint
from werkzeug.routing import BaseConverter

from webapi.blueprints.answers import public_kinds
from webapi.blueprints.api.openapi import refuse_query
from webapi.blueprints.api.shapes import KindList, KindOut
from webapi.blueprints.api.shaping import shape_kind
from webapi.blueprints.identity import require_anyone
from webapi.services import jobs

bp = APIBlueprint("api_kinds", __name__, tag="Kinds")
bp.before_request(require_anyone)
bp.before_request(refuse_query)


class KindConverter(BaseConverter):
    """A kind's name, which is no job's id: at `/jobs/<id>` nothing can be submitted, and `Allow` says so."""

    regex = r"(?![0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?:/|$))[^/]+"


@bp.get("/kinds")
@bp.output(KindList)
def index() -> KindList:
    """List the kinds of jobs"""
    return KindList(kinds=[shape_kind(kind) for kind in public_kinds()])


@bp.get("/kinds/<kind>")
@bp.output(KindOut)
def show(kind: str) -> KindOut:
    """Show one kind, with the JSON Schema of its payload"""
    return shape_kind(jobs.public_kind(kind))
