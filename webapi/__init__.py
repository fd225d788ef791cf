"""Flask takes the request, Celery does the work, SQL remembers it."""

from webapi.factory import create_app

__all__ = ["create_app"]
