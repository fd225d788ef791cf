"""For whoever watches: is the process alive, can it accept jobs."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from webapi.extensions import db

bp = APIBlueprint("health", __name__, enable_openapi=False)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    return jsonify(status="ok")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """Redis away is only `degraded`: jobs are accepted all the same. A database away is 503, by the error handler."""
    db.session.execute(text("SELECT 1"))
    redis = current_app.extensions["hints"].answers()
    return jsonify(status="ok" if redis else "degraded", database="ok", redis="ok" if redis else "away")
