"""Page: the system, for administrators. Counts, kinds, ids and ages; never another's payload or address."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapi.blueprints.identity import me, require_person, session_only
from webapi.errors import Forbidden, Malformed
from webapi.queue import kind_named
from webapi.services import doctor, trail
from webapi.services.doctor import Check
from webapi.services.system import audits, backlog, crew, drift, rates, steering
from webapi.services.system.look import look, many

bp = APIBlueprint("system", __name__, url_prefix="/system", enable_openapi=False)
RECENT = 30  # entries of the trail
FIRST = {"bad": 0, "warn": 1, "ok": 2}


@bp.before_request
def _administrators_only() -> Response | None:
    """A session of an administrator; a key of theirs opens nothing here."""
    visitor = require_person()
    if visitor is None and not session_only().is_admin:
        raise Forbidden("This page is for administrators. The command line makes one.")
    return visitor


@bp.get("")
def index() -> ResponseReturnValue:
    seen = look()
    return render_template(
        "system/index.html",
        seen=seen,
        shown_workers=crew.SHOWN,
        checks=_worst_first(doctor.judged(seen)),
        queues=[(queue, *drift.explained(queue)) for queue in seen.queues],
        rates=rates.rates(seen.clock),
        causes=rates.causes(seen.clock),
        audits=audits.latest(),
        trail=trail.latest(RECENT),
        counted=audits.counted,
        many=many,
        still="still" in request.args,
    )


@bp.get("/outside")
def outside() -> ResponseReturnValue:
    """What takes as long as others take to answer: the mail server, the sources of reports."""
    return render_template("system/outside.html", checks=_worst_first(doctor.outside()))


def _worst_first(checks: list[Check]) -> list[Check]:
    return sorted(checks, key=lambda check: FIRST[check.verdict])


@bp.get("/kind")
def kind() -> ResponseReturnValue:
    """Before a kind is paused or goes on: what that will mean."""
    name = kind_named(request.args.get("name", "")).name
    (found,) = [each for each in backlog.kinds(backlog.running()) if each.name == name]
    return render_template("system/kind.html", kind=found, many=many)


@bp.post("/kind")
def steer() -> ResponseReturnValue:
    wanted, act = kind_named(request.form.get("name", "")), request.form.get("act")
    if act == "pause":
        steering.pause(me(), wanted)
        flash(f"{wanted.name} is paused. Jobs are still accepted; none begins.")
    elif act == "resume":
        steering.resume(me(), wanted)
        flash(f"{wanted.name} goes on.")
    else:
        raise Malformed("act: pause or resume.")
    return redirect(url_for("system.index"), 303)


@bp.post("/audit")
def audit() -> ResponseReturnValue:
    if steering.audit(me(), files="files" in request.form):
        flash("The audit was asked for. A worker does it.")
    else:
        flash("An audit is under way already.")
    return redirect(url_for("system.index", _anchor="audit"), 303)
