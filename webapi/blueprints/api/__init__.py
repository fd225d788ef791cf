"""JSON for programs, under /api/v1."""

from __future__ import annotations

from apiflask import APIFlask

from webapi.blueprints.api import bulk, jobs, kinds, me, openapi, schedules, uploads

PREFIX = "/api/v1"


def init_app(app: APIFlask) -> None:
    openapi.init_app(app)
    for bp in (kinds.bp, bulk.bp, jobs.bp, schedules.bp, uploads.bp, me.bp):
        app.register_blueprint(bp, url_prefix=PREFIX)
