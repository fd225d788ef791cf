"""The composition root: what there is, in the order in which it is put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from apiflask import APIFlask

from webapi import blueprints, cli, problems, tasks
from webapi.config import from_env
from webapi.extensions import Migrations, csrf, limiter, login, mail
from webapi.models import transaction
from webapi.queue import queue
from webapi.services.system import gauges

MIGRATIONS = Path(__file__).parent.parent / "migrations"
SPEC = "/api/v1/openapi.json"


class Site(APIFlask):
    """Each of our views is a plain function; Flask would look twenty times a request whether one is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(overrides: Mapping[str, Any] | None = None) -> APIFlask:
    """Build the app and its Celery (`app.extensions["celery"]`).

    `overrides` win over the environment. Raises ConfigError when a setting is wrong. Nothing is
    connected to before it is needed.
    """
    app = Site("webapi", title="webapi", version="1", spec_path=SPEC, docs_path=None, json_errors=False)
    app.config.from_mapping(from_env(overrides))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    transaction.init_app(app)
    app.extensions["migrate"] = Migrations(str(MIGRATIONS))
    mail.init_app(app)
    login.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    queue.init_app(app, tasks.jobs(), tasks.plain())
    gauges.init_app(app)
    problems.init_app(app)
    blueprints.init_app(app)
    cli.init_app(app)
    return app
