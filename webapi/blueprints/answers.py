"""Answers that pages and programs share."""

from __future__ import annotations

from flask import Response, current_app, make_response, redirect, request, send_file

from webapi.models import Artifact, Job, Upload
from webapi.queue import Kind
from webapi.queue.files import store
from webapi.services import storage
from webapi.services.mail.attachments import File


def public_kinds() -> list[Kind]:
    """The kinds that people may submit, by name."""
    return [kind for kind in current_app.extensions["kinds"].values() if kind.public]


def download(job: Job, name: str) -> Response:
    """A job's file; see `saved`."""
    return saved(storage.artifact(job.id, name))


def saved(kept: Artifact | Upload | File) -> Response:
    """A file, always to be saved: what somebody made is never shown as a page of this site.

    From a store that hands out by itself, a signed address at which that is so for a minute.
    """
    file = store().open(kept.sha256)
    response = send_file(
        file, mimetype=kept.media_type, as_attachment=True, download_name=kept.name, conditional=False, etag=kept.sha256
    )
    disposition = response.headers["Content-Disposition"]
    if request.method == "GET" and (link := store().link(kept.sha256, kept.media_type, disposition)):
        return redirect(link, Response=Response)  # type: ignore[return-value]
    response.content_length = kept.size
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.make_conditional(request, accept_ranges=True, complete_length=kept.size)
    return response


def mail_document(html: str) -> Response:
    """A mail's HTML as its author wrote it, in a frame that can run nothing and send nothing."""
    response = make_response(html)
    response.headers["Content-Security-Policy"] = (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'"
    )
    return response
