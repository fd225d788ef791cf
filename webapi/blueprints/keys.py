"""Page: the API keys of a person. A key cannot make keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.answers import public_kinds
from webapi.blueprints.identity import confirmed, require_person, session_only
from webapi.models import Scope
from webapi.services import keys

bp = APIBlueprint("keys", __name__, url_prefix="/keys", enable_openapi=False)
bp.before_request(require_person)

# What a key may do, and how the form says it. The first is what most programs need.
MAY = {
    "submit read": "submit jobs and read",
    "read": "read only",
    "submit": "submit jobs only",
    "submit read manage": "everything: submit, read and change",
}
DAYS = {"365": "in a year", "90": "in 90 days", "30": "in 30 days", "1": "tomorrow", "": "never"}


class Wanted(BaseModel):
    """What the form says of a new key."""

    name: str = Field("", max_length=1000)
    may: Literal["submit read", "read", "submit", "submit read manage"] = "submit read"
    days: Literal["365", "90", "30", "1", ""] = "365"
    kind: str = Field("", max_length=100)
    test: str = ""


@bp.get("")
def index() -> ResponseReturnValue:
    return _draw()


@bp.post("")
def create() -> ResponseReturnValue:
    owner = session_only()
    if (asked := confirmed()) is not None:
        return asked
    wanted = reading.values(Wanted, {name: each for name, each in request.form.items() if name != "csrf_token"})
    scopes = [Scope(each) for each in wanted.may.split()]
    expires_at = datetime.now(UTC) + timedelta(days=int(wanted.days)) if wanted.days else None
    name = wanted.name.strip()[:100] or "key"
    return _draw(
        keys.create(owner, name, bool(wanted.test), scopes=scopes, kind=wanted.kind or None, expires_at=expires_at)
    ), 201


@bp.post("/<uuid:key_id>/revoke")
def revoke(key_id: UUID) -> ResponseReturnValue:
    keys.revoke(session_only(), key_id)
    flash("The key is revoked. Programs that use it get 401 from now on.")
    return redirect(url_for("keys.index"))


def _draw(new_key: str | None = None) -> str:
    rows = [(key, keys.has_expired(key)) for key in keys.of(session_only())]
    return render_template(
        "keys/index.html", keys=rows, new_key=new_key, may=MAY, days=DAYS, kinds=[kind.name for kind in public_kinds()]
    )
