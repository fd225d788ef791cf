"""Pages: the list of jobs, what could come next in its query, and one act on many of them.

The views belong to the blueprint of `jobs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from webapi.blueprints import reading
from webapi.blueprints.identity import me
from webapi.blueprints.jobs import bp
from webapi.errors import Malformed
from webapi.models import State
from webapi.services import bulk, job_facets, job_lists, job_queries
from webapi.services.job_queries import suggesting
from webapi.services.job_queries.fields import FIELDS
from webapi.services.job_queries.terms import written

__all__ = ["bp"]

QUICK = {
    "Needs me": "state:uncertain,failed",
    "Running": "state:running",
    "Waiting": "state:scheduled,queued,retrying",
    "Failed today": "state:failed finished:today",
}
SIZES = (25, 50, 100, 200)  # jobs on one page


class Listing(BaseModel):
    """What the list is to show. `kind`, `state` and `tag` are terms of the query in another spelling."""

    q: str = ""
    kind: list[str] = []
    state: list[str] = []
    tag: list[str] = []
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=200)

    @property
    def query(self) -> str:
        """All of it as one query."""
        more = [("kind", self.kind), ("state", self.state), *(("tag", [tag]) for tag in self.tag)]
        given = [(name, [value for value in values if value]) for name, values in more]
        return " ".join([self.q.strip(), *(written(name, values) for name, values in given if values)]).strip()


@dataclass(frozen=True)
class Shown:
    """What the template of the rows draws. `fault` says why the query has no answer."""

    query: str
    limit: int
    page: job_lists.Page
    cursor: str | None = None
    fault: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether something on the page may still change by itself."""
        return any(not State(job.state).final for job in self.page.jobs)


@bp.get("/jobs")
def index() -> ResponseReturnValue:
    shown = _shown(reading.query(Listing, from_form=True))
    drawn, tag = _rows(shown)
    page = render_template(
        "jobs/index.html", shown=shown, rows=drawn, etag=tag, quick=QUICK, fields=FIELDS.values(), sizes=SIZES,
        counts=job_lists.counts(me()), recent=job_facets.recent(me()), causes=job_facets.causes(me())[:5],
        narrowed=suggesting.exchanged, written=written,
    )  # fmt: skip
    return page, 400 if shown.fault else 200


@bp.get("/jobs/rows")
def rows() -> ResponseReturnValue:
    """The rows of the list by themselves; 304 when they look as they did."""
    shown = _shown(reading.query(Listing, from_form=True))
    drawn, tag = _rows(shown)
    answer = make_response(render_template("jobs/live.html", shown=shown, rows=drawn, etag=tag))
    answer.set_etag(tag)
    return answer.make_conditional(request)


@bp.get("/jobs/suggest")
def suggest() -> ResponseReturnValue:
    """The options of the search box."""
    return render_template("jobs/suggestions.html", suggestions=suggesting.suggest(me(), reading.query(Begun).q))


class Begun(BaseModel):
    """The query so far."""

    q: str = ""


class Many(BaseModel):
    """One act on chosen jobs, or on all that a query finds up to the id `until`. It acts when `sure` is given.

    `further` is an older `until`: what is newer has been looked at.
    """

    act: Literal["cancel", "replay"]
    q: str = ""
    id: list[UUID] = Field([], max_length=200)
    every: bool = False
    until: UUID | None = None
    further: UUID | None = None
    sure: bool = False

    def wanted(self) -> job_lists.Wanted:
        if self.every:
            return job_lists.Wanted(terms=job_queries.read(self.q), until=self.until)
        if not self.id:
            raise Malformed("Choose at least one job: tick the boxes before the rows.")
        return job_lists.Wanted(ids=self.id)


@bp.post("/jobs/bulk")
def many() -> ResponseReturnValue:
    """First say what would be done; then, with `sure`, do it, and say what is left."""
    asked, owner = reading.values(Many, _given()), me()
    asked.until = asked.further or asked.until
    act = bulk.replay if asked.act == "replay" else bulk.cancel
    done = None
    if asked.sure:
        done = act(owner, asked.wanted(), dry_run=False)
        if not done.remaining and not done.further:
            flash(f"{done.changed:,} {'run again' if asked.act == 'replay' else 'are cancelled or asked to stop'}.")
            return redirect(url_for("jobs.index", q=asked.q or None), 303)
        asked.until = done.further or asked.until
    would = act(owner, asked.wanted(), dry_run=True)
    return render_template(
        "jobs/bulk.html", asked=asked, would=would, done=done, most=bulk.MOST_COUNTED, looked=job_lists.LOOKED_THROUGH
    )


def _given() -> dict[str, Any]:
    """The form's fields; those left empty count as not given."""
    fields = {name: request.form.get(name) for name in Many.model_fields if request.form.get(name)}
    return {**fields, "id": request.form.getlist("id")}


def _shown(wanted: Listing) -> Shown:
    try:
        terms = job_queries.read(wanted.query)
    except Malformed as error:
        return Shown(wanted.query, wanted.limit, job_lists.Page([], None), fault=error.message)
    page = job_lists.page(me(), job_lists.Wanted(terms=terms), cursor=wanted.cursor, limit=wanted.limit)
    return Shown(wanted.query, wanted.limit, page, wanted.cursor)


def _rows(shown: Shown) -> tuple[str, str]:
    """The rows as HTML, and what tells them from others."""
    drawn = render_template("jobs/rows.html", shown=shown)
    return drawn, sha256(drawn.encode()).hexdigest()[:32]
