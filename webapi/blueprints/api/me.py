"""Who is asking."""

from __future__ import annotations

from apiflask import APIBlueprint

from webapi.blueprints import identity
from webapi.blueprints.api.openapi import refuse_query
from webapi.blueprints.api.shapes import Me

bp = APIBlueprint("api_me", __name__, tag="Account")
bp.before_request(identity.require_anyone)
bp.before_request(refuse_query)


@bp.get("/me")
@bp.output(Me)
def show() -> Me:
    """Show who this key or session belongs to"""
    user = identity.me()
    return Me(id=user.id, email=user.email, name=user.name, verified=user.verified_at is not None)
