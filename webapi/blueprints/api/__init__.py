"""JSON for programs, under /api/v1."""

from __future__ import annotations

from apiflask import APIFlask

from webapi.blueprints.api import (
    batches,
    bounces,
    bulk,
    cors,
    datasets,
    jobs,
    keys,
    kinds,
    mailings,
    me,
    negotiation,
    openapi,
    preferences,
    reports,
    schedules,
    senders,
    suppressions,
    templates,
    uploads,
)

PREFIX = "/api/v1"


def init_app(app: APIFlask) -> None:
    app.url_map.converters["kind"] = kinds.KindConverter
    openapi.init_app(app)
    cors.init_app(app, PREFIX)
    negotiation.init_app(app, PREFIX)
    preferences.init_app(app)
    for door in (
        kinds,
        bulk,
        batches,
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
        keys,
        me,
    ):
        app.register_blueprint(door.bp, url_prefix=PREFIX)
