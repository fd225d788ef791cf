"""The app with the kinds of the tests beside its own, for the real workers of the tests."""

from pathlib import Path

import webapi.tasks
from webapi import create_app, logs, reporting

KINDS = str(Path(__file__).parent / "kinds")
if KINDS not in webapi.tasks.__path__:
    webapi.tasks.__path__.append(KINDS)

app = create_app()
celery = app.extensions["celery"]
logs.configure(app.config["LOG_LEVEL"], app.config["WEBAPI_ENV"])
reporting.start(app.config["SENTRY_DSN"], app.config["WEBAPI_ENV"])
