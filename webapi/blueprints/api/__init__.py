"""JSON for programs, under /api/v1."""

from __future__ import annotations

from apiflask import APIFlask

from webapi.blueprints.api import (
    bounces,
    bulk,
    datasets,
    jobs,
    kinds,
    mailings,
    me,
    openapi,
    reports,
    schedules,
    senders,
    suppressions,
    templates,
    uploads,
)

PREFIX = "/api/v1"


def init_app(app: APIFlask) -> None:
    openapi.init_app(app)
    for door in (
        kinds,
        bulk,
        jobs,
        schedules,
        uploads,
        datasets,
        templates,
        senders,
        suppressions,
        mailings,
        bounces,
        reports,
        me,
    ):
        app.register_blueprint(door.bp, url_prefix=PREFIX)
