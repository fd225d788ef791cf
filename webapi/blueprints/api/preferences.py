"""The header Prefer (RFC 7240): how long a request would wait for its job to be over."""

from __future__ import annotations

import re

from flask import Flask, current_app, request

from webapi.models import Job, State
from webapi.services import jobs
from webapi.services.endings import Endings

LONGEST = 30  # seconds
WAIT = re.compile(r'wait\s*=\s*"?(\d{1,9})"?', re.IGNORECASE)


def init_app(app: Flask) -> None:
    """Reads WAITING_REQUESTS."""
    app.extensions["endings"] = Endings(app, app.config["WAITING_REQUESTS"])


def wait() -> int:
    """The seconds that this request would wait. What is no preference of ours is no error, as the RFC wants it."""
    if "Prefer" not in request.headers:
        return 0
    given = ",".join(request.headers.getlist("Prefer")).split(",")
    found = [match for each in given if (match := WAIT.fullmatch(each.partition(";")[0].strip()))]
    return min(LONGEST, int(found[0][1])) if found else 0  # of two that contradict each other the first counts


def waited(job: Job) -> tuple[Job, int, dict[str, str]]:
    """The job when it is over or the time is: 200 or 202, and the header that says what was done."""
    seconds, job_id, owner_id = wait(), job.id, job.owner_id
    if not seconds or State(job.state).final:
        return job, 200 if seconds and State(job.state).final else 202, {}
    endings: Endings = current_app.extensions["endings"]
    if not endings.wait(job_id, seconds):
        return job, 202, {}
    found = jobs.owned(owner_id, job_id)
    return found, 200 if State(found.state).final else 202, {"Preference-Applied": f"wait={seconds}"}
