"""Answers that pages and programs share."""

from __future__ import annotations

from flask import Response, current_app, send_file

from webapi.models import Job
from webapi.queue import Kind
from webapi.services import storage


def public_kinds() -> list[Kind]:
    """The kinds that people may submit, by name."""
    return [kind for kind in current_app.extensions["kinds"].values() if kind.public]


def download(job: Job, name: str) -> Response:
    """A job's file, always to be saved: what a job produced is never shown as a page of this site."""
    row, path = storage.artifact(job.id, name)
    response = send_file(
        path, mimetype=row.media_type, as_attachment=True, download_name=row.name, conditional=True, etag=row.sha256
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
