"""What servers and tools name: `wsgi:app`, `celery -A wsgi:celery`, `flask --app wsgi`."""

from webapi import create_app, logs, reporting

app = create_app()
celery = app.extensions["celery"]
logs.configure(app.config["LOG_LEVEL"], app.config["WEBAPI_ENV"])
reporting.start(app.config["SENTRY_DSN"], app.config["WEBAPI_ENV"])
