"""The form by which a person says in which time zone they read times; the account page holds it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from webapi.blueprints.identity import require_person, session_only
from webapi.services import zones

bp = APIBlueprint("zone", __name__, enable_openapi=False)
bp.before_request(require_person)
bp.add_app_template_global(zones.names, "zone_names")


@bp.post("/account/zone")
def choose() -> ResponseReturnValue:
    name = request.form.get("time_zone", "").strip()
    zones.choose(session_only(), name)
    flash(f"Times are shown in {name} from now on.")
    page = "account.index" if "account.index" in current_app.view_functions else "jobs.overview"
    return redirect(url_for(page), 303)
