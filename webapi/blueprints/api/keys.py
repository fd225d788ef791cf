"""API keys for a person's own scripts in a browser: a key cannot see, make or revoke keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import url_for
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.api.openapi import refuse_query, takes_body
from webapi.blueprints.identity import require_anyone, session_only, this_session
from webapi.blueprints.moments import Moment
from webapi.errors import Forbidden
from webapi.models import ApiKey, Scope
from webapi.services import keys, sessions
from webapi.services.addresses import Line

bp = APIBlueprint("api_keys", __name__, tag="Keys")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

BY_PERSON: list[str | dict[str, list[Any]]] = [{"session": []}]


class KeyIn(BaseModel):
    """A key to be made. With a test key everything runs and nothing leaves."""

    name: Line = Field(min_length=1, max_length=100, examples=["nightly import"])
    type: Literal["live", "test"] = "live"
    scopes: list[Scope] = Field([Scope.SUBMIT, Scope.READ], min_length=1, max_length=len(Scope))
    kind: str | None = Field(None, max_length=100, description="It sees and submits jobs of this kind alone.")
    expires_at: Moment | None = Field(None, description="When it ends; RFC 3339. Without it, never.")


class KeyOut(BaseModel):
    """A key as it can be shown: its beginning and its last four characters."""

    id: UUID
    name: str
    type: Literal["live", "test"]
    prefix: str = Field(examples=["wapi_live_0123456789ab"])
    last_four: str
    scopes: list[Scope]
    kind: str | None
    expires_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None


class NewKey(KeyOut):
    """The only answer that holds the key itself; it is kept as a hash."""

    key: str


class KeyList(BaseModel):
    keys: list[KeyOut]


@bp.get("/keys")
@bp.output(KeyList)
@bp.doc(security=BY_PERSON)
def index() -> KeyList:
    """List your keys, newest first"""
    return KeyList(keys=[_shape(row) for row in keys.of(session_only())])


@bp.post("/keys")
@takes_body(KeyIn)
@bp.output(NewKey, status_code=201)
@bp.doc(security=BY_PERSON)
def create() -> tuple[NewKey, int, dict[str, str]]:
    """Make a key; this answer shows it, and none after it"""
    owner = session_only()
    wanted = reading.body(KeyIn)
    if not sessions.is_confirmed(this_session()):
        raise Forbidden("Give your password again first, at /account/confirm: it is some time since you did.")
    test, ends = wanted.type == "test", wanted.expires_at
    token = keys.create(owner, wanted.name, test, scopes=wanted.scopes, kind=wanted.kind, expires_at=ends)
    row = next(each for each in keys.of(owner) if token.startswith(f"{each.prefix}_"))
    made = NewKey(**_shape(row).model_dump(), key=token)
    return made, 201, {"Location": url_for("api_keys.remove", key_id=row.id)}


@bp.delete("/keys/<uuid:key_id>")
@bp.output({}, status_code=204)
@bp.doc(security=BY_PERSON)
def remove(key_id: UUID) -> tuple[str, int]:
    """Revoke a key; programs that use it get 401 from now on"""
    keys.revoke(session_only(), key_id)
    return "", 204


def _shape(row: ApiKey) -> KeyOut:
    return KeyOut(
        id=row.id,
        name=row.name,
        type="test" if row.is_test else "live",
        prefix=row.prefix,
        last_four=row.last_four,
        scopes=[Scope(each) for each in row.scopes.split()],
        kind=row.kind,
        expires_at=row.expires_at,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
