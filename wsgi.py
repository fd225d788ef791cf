"""What servers and tools name: `wsgi:app`, `celery -A wsgi:celery`, `flask --app wsgi`."""

import gc

gc.disable()  # while it loads there is no garbage to speak of, and to look for some took a tenth of the time

from webapi import create_app, logs, reporting  # noqa: E402 - see above

app = create_app()
celery = app.extensions["celery"]
logs.configure(app.config["LOG_LEVEL"], app.config["WEBAPI_ENV"])
reporting.start(app.config["SENTRY_DSN"], app.config["WEBAPI_ENV"])
# What is there now stays until the end. The collector need not look at it again, which takes time, and in a forked
# child writes into pages that it shares with its parent: a worker of two processes is a quarter smaller for it.
gc.collect()
gc.freeze()
gc.enable()
