"""The app of `tests/wsgi.py` as the next version of the program would be: `tests/next` comes before `tests/kinds`."""

from pathlib import Path

import webapi.tasks

webapi.tasks.__path__.insert(0, str(Path(__file__).parent / "next"))

from tests.wsgi import app, celery  # noqa: E402 - the path comes before the kinds are found

__all__ = ["app", "celery"]
