"""The command line that would submit a job again."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import quote, urlencode

from flask import current_app

from webapi.models import Job
from webapi.queue import Kind
from webapi.services import jobs

LONGEST = 100_000  # bytes; the kernel takes no longer word than 128 KiB


def curl(job: Job) -> str | None:
    """For a POSIX shell in which WEBAPI_KEY is a key. None for a kind without a door, and for a payload too long.

    In place of its secrets the payload has `***`: put them in before you send it.
    """
    kind: Kind | None = current_app.extensions["kinds"].get(job.kind)
    if kind is None or not kind.public:
        return None
    body = json.dumps(jobs.payload(job), ensure_ascii=False)
    if len(body.encode()) > LONGEST:
        return None
    url = f"{current_app.config['PUBLIC_URL'].rstrip('/')}/api/v1/jobs/{quote(job.kind)}{_query(job)}"
    words = [
        f"curl -sS {shlex.quote(url)}",
        '-H "Authorization: Bearer $WEBAPI_KEY"',
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body)}",
    ]
    return " \\\n  ".join(words)


def _query(job: Job) -> str:
    given: list[tuple[str, Any]] = [("tag", tag) for tag in job.tags]
    if job.priority:
        given.append(("priority", job.priority))
    if job.callback_url:
        given.append(("callback_url", job.callback_url))
    return f"?{urlencode(given)}" if given else ""
