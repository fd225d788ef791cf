"""Page: the API keys of a person. A key cannot make keys."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapi.blueprints.identity import require_person, session_only
from webapi.services import keys

bp = APIBlueprint("keys", __name__, url_prefix="/keys", enable_openapi=False)
bp.before_request(require_person)


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("keys/index.html", keys=keys.of(session_only()), new_key=None)


@bp.post("")
def create() -> ResponseReturnValue:
    owner = session_only()
    name = request.form.get("name", "").strip()[:100] or "key"
    token = keys.create(owner, name, test="test" in request.form)
    return render_template("keys/index.html", keys=keys.of(owner), new_key=token), 201


@bp.post("/<uuid:key_id>/revoke")
def revoke(key_id: UUID) -> ResponseReturnValue:
    keys.revoke(session_only(), key_id)
    flash("The key is revoked. Programs that use it get 401 from now on.")
    return redirect(url_for("keys.index"))
