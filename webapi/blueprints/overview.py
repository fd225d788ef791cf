"""The first page: how my jobs stand, what needs me, what the last day was like, what comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import render_template, url_for

from webapi.blueprints.answers import public_kinds
from webapi.models import State, User
from webapi.services import causes, job_lists, overview
from webapi.services.causes import Cause
from webapi.services.job_queries.terms import written

FAILED_SINCE = timedelta(days=7)


def drawn(owner: User) -> str:
    """The overview of somebody's jobs."""
    now = datetime.now(UTC)
    recent = job_lists.page(owner, job_lists.Wanted(), limit=5)
    own = {kind.name for kind in public_kinds()}
    found = job_lists.counts(owner)
    return render_template(
        "jobs/overview.html",
        counts={state: found.get(state, 0) for state in State},
        recent=recent.jobs,
        uncertain=job_lists.page(owner, job_lists.Wanted(states=[State.UNCERTAIN]), limit=5),
        failures=causes.failures(owner, overview.first_id(now - FAILED_SINCE)),
        failed_like=failed_like,
        hours=overview.hours(owner, now),
        upcoming=overview.upcoming(owner),
        stuck=overview.stuck(owner),
        new_here=not any(job.kind in own for job in recent.jobs),
    )


def failed_like(cause: Cause) -> str:
    """The address of the list of the jobs that failed so."""
    terms = {"kind": cause.kind, "state": State.FAILED.value, "error": cause.code}
    return url_for("jobs.index", q=" ".join(written(name, [value]) for name, value in terms.items() if value))
