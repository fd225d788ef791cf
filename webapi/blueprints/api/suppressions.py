"""Suppressions for programs: the addresses that your mails do not go to."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import url_for
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.api.mail_shapes import SuppressionIn, SuppressionOut, SuppressionPage
from webapi.blueprints.api.openapi import refuse_query, takes_body, takes_query
from webapi.blueprints.identity import me, require_anyone
from webapi.services.mail import suppressions

bp = APIBlueprint("api_suppressions", __name__, tag="Suppressions")
bp.before_request(require_anyone)
bp.before_request(refuse_query)


class SuppressionQuery(BaseModel):
    """Which of them to list."""

    search: str = Field("", max_length=320, description="A part of the address.")
    cursor: str = Field("", max_length=320, description="From the previous page's next_cursor.")
    limit: int = Field(100, ge=1, le=1000)


@bp.get("/suppressions")
@takes_query(SuppressionQuery)
@bp.output(SuppressionPage)
def index() -> SuppressionPage:
    """List the addresses that your mails do not go to, by address"""
    query = reading.query(SuppressionQuery)
    rows = suppressions.page(me().id, query.cursor, query.search, query.limit + 1)
    shown = [SuppressionOut.model_validate(row) for row in rows[: query.limit]]
    return SuppressionPage(suppressions=shown, next_cursor=shown[-1].address if len(rows) > query.limit else None)


@bp.post("/suppressions")
@takes_body(SuppressionIn)
@bp.output(SuppressionOut, status_code=201)
@bp.doc(responses={200: "It was suppressed before, and stays as it is."})
def create() -> tuple[SuppressionOut, int, dict[str, str]]:
    """Mail an address never again"""
    wanted = reading.body(SuppressionIn)
    added = suppressions.add(me().id, wanted.address, "manual", wanted.detail)
    row = SuppressionOut.model_validate(suppressions.find(me().id, wanted.address))
    return row, 201 if added else 200, {"Location": url_for("api_suppressions.show", address=row.address)}


@bp.get("/suppressions/<path:address>")
@bp.output(SuppressionOut)
def show(address: str) -> SuppressionOut:
    """Show why an address is not mailed"""
    return SuppressionOut.model_validate(suppressions.find(me().id, address))


@bp.delete("/suppressions/<path:address>")
@bp.output({}, status_code=204)
def remove(address: str) -> tuple[str, int]:
    """Let mails go to an address again"""
    suppressions.remove(me().id, address)
    return "", 204
