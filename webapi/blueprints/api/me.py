"""Who is asking, and how much of what they may have is used."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import current_app

from webapi.blueprints import bodies, identity
from webapi.blueprints.api.openapi import refuse_query
from webapi.blueprints.api.shapes import Limit, Me
from webapi.queue.batch import MOST
from webapi.services import schedules, usage

bp = APIBlueprint("api_me", __name__, tag="Account")
bp.before_request(identity.require_anyone)
bp.before_request(refuse_query)


@bp.get("/me")
@bp.output(Me)
def show() -> Me:
    """Show who this key or session belongs to, what they may have and what they use"""
    user = identity.me()
    limits = {use.name: Limit(most=use.limit, used=use.used) for use in usage.of(user)}
    limits |= {
        "schedules": Limit(most=schedules.MOST, used=schedules.count(user)),
        "jobs_in_a_batch": Limit(most=MOST),
        "bytes_of_a_request": Limit(most=current_app.config["MAX_CONTENT_LENGTH"]),
        "bytes_of_a_dataset": Limit(most=bodies.most()),
    }
    return Me(
        id=user.id, email=user.email, name=user.name, verified=user.verified_at is not None,
        sandbox=identity.sandbox(), limits=limits,
    )  # fmt: skip
