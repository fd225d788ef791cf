"""Page: the largest files that somebody keeps, to make room."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapi.blueprints.identity import me, require_person
from webapi.services import storage, usage

bp = APIBlueprint("files", __name__, url_prefix="/files", enable_openapi=False)
bp.before_request(require_person)


@bp.get("")
def index() -> ResponseReturnValue:
    return render_template("files/index.html", files=storage.largest(me().id), usage=usage.of(me()))


@bp.post("/uploads/<uuid:upload_id>/delete")
def discard_upload(upload_id: UUID) -> ResponseReturnValue:
    storage.discard_upload(me(), upload_id)
    flash("The upload is deleted.")
    return redirect(url_for("files.index"), 303)


@bp.post("/jobs/<uuid:job_id>/<name>/delete")
def discard_artifact(job_id: UUID, name: str) -> ResponseReturnValue:
    storage.discard_artifact(me(), job_id, name)
    flash("The file is deleted.")
    return redirect(url_for("files.index"), 303)
