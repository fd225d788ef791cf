"""Answers that pages and programs share."""

from __future__ import annotations

from pathlib import Path

from flask import Response, current_app, make_response, send_file

from webapi.models import Job
from webapi.queue import Kind
from webapi.services import storage


def public_kinds() -> list[Kind]:
    """The kinds that people may submit, by name."""
    return [kind for kind in current_app.extensions["kinds"].values() if kind.public]


def download(job: Job, name: str) -> Response:
    """A job's file; see `saved`."""
    row, path = storage.artifact(job.id, name)
    return saved(path, row.media_type, row.name, row.sha256)


def saved(path: Path, media_type: str, name: str, sha256: str) -> Response:
    """A file, always to be saved: what somebody made is never shown as a page of this site."""
    response = send_file(
        path, mimetype=media_type, as_attachment=True, download_name=name, conditional=True, etag=sha256
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def mail_document(html: str) -> Response:
    """A mail's HTML as its author wrote it, in a frame that can run nothing and send nothing."""
    response = make_response(html)
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'"
    )
    return response
