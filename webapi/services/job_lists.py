"""Lists of jobs: filters, and pages by keyset."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, Select, any_, func, select, union_all
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from webapi.errors import Malformed
from webapi.extensions import db
from webapi.models import Job, State, User
from webapi.services.job_queries import Term
from webapi.services.job_queries.matching import indexed, slow

MOST_COUNTED = 1000  # jobs of one state
LOOKED_THROUGH = 5000  # jobs for one page or one act, when there is no index for what is asked

NEWEST_FIRST = (Job.owner_id.desc(), Job.id.desc())  # of one owner, in the order of the indexes that begin with one
CURSOR = "^[A-Za-z0-9_-]{22}$"  # the 16 bytes of an id


@dataclass(frozen=True)
class Wanted:
    """A filter over jobs; `terms` are those of a query (`job_queries.read`), `until` is the newest id that is meant."""

    kinds: Sequence[str] = ()
    states: Sequence[State] = ()
    tags: Sequence[str] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    terms: Sequence[Term] = ()
    ids: Sequence[UUID] = ()
    until: UUID | None = None

    @property
    def empty(self) -> bool:
        """Whether it finds every job; `until` alone is no filter."""
        return not any(value for name, value in vars(self).items() if name != "until")

    @property
    def all_terms(self) -> list[Term]:
        return [*self.terms, *(Term("tag", (tag,)) for tag in self.tags)]

    @property
    def simple(self) -> bool:
        """Whether it names states, kinds and errors alone, for which the indexes of one owner have an order."""
        known = all(term.name in {"state", "kind", "error"} and not term.negative for term in self.all_terms)
        return known and self.created_after is None and self.created_before is None

    @property
    def few(self) -> bool:
        """Whether the states that are asked for are those that few jobs are in."""
        named = self.named_states
        return named is not None and State.SUCCEEDED not in named

    @property
    def named_states(self) -> list[State] | None:
        """The states that somebody asked for by name; None when nobody did."""
        asked = [list(self.states)] if self.states else []
        asked += [list(term.values) for term in self.terms if term.name == "state" and not term.negative]
        return [state for state in State if all(state in each for each in asked)] if asked else None


@dataclass(frozen=True)
class Page:
    """Some jobs, newest first, and the cursor of the next page where there is one.

    With `unread` the page ended after `LOOKED_THROUGH` jobs and not because it is full: it may have no job at all and
    yet a next page.
    """

    jobs: list[Job]
    next_cursor: str | None
    unread: bool = False


def page(owner: User, wanted: Wanted, *, cursor: str | None = None, limit: int = 50) -> Page:
    """One page of the owner's jobs, by keyset: as fast on the last page as on the first."""
    order = NEWEST_FIRST if wanted.simple else (Job.id.desc(),)
    query = _indexed(owner, wanted, alone=wanted.simple).order_by(*order)
    if cursor is not None:
        query = query.where(Job.id < _read_cursor(cursor))
    looked = aliased(Job, query.limit(LOOKED_THROUGH).subquery())
    unindexed = slow(wanted.all_terms, looked, few=wanted.few)
    chosen = select(looked).where(*unindexed).order_by(looked.id.desc()) if unindexed else query
    if wanted.simple and (states := wanted.named_states):  # the ids by an index alone, then these rows
        chosen = select(Job).where(Job.id.in_(_newest(query, states, limit + 1))).order_by(Job.id.desc())
    rows = list(db.session.scalars(chosen.limit(limit + 1)))
    if len(rows) > limit:
        return Page(rows[:limit], _cursor(rows[limit - 1].id))
    last = db.session.scalar(query.with_only_columns(Job.id).offset(LOOKED_THROUGH - 1).limit(1)) if unindexed else None
    return Page(rows, _cursor(last) if last else None, unread=last is not None)


def matching(owner: User, wanted: Wanted, states: Sequence[State], *more: ColumnElement[bool]) -> Select[Job]:
    """The query of the owner's jobs in these states that a filter finds and that meet `more`.

    What there is no index for is looked for in the newest `LOOKED_THROUGH` of those that meet the rest; see `reach`.
    """
    query = _indexed(owner, wanted).where(*more)
    unindexed = slow(wanted.all_terms, few=wanted.few)
    if not unindexed or not states:
        return query.where(Job.state.in_(states))
    return select(Job).where(Job.id.in_(_newest(query.order_by(Job.id.desc()), states)), *unindexed)


def reach(
    owner: User, wanted: Wanted, states: Sequence[State], *more: ColumnElement[bool]
) -> tuple[UUID | None, UUID | None]:
    """The newest id that `matching` looks at, and the newest at which it does not look any more: a filter's `until`
    for those. None for what there is not."""
    query = _indexed(owner, wanted).where(*more)
    if not slow(wanted.all_terms, few=wanted.few) or not states:
        all_of_them = query.with_only_columns(Job.id).where(Job.state.in_(states))
        return db.session.scalar(all_of_them.order_by(Job.id.desc()).limit(1)), None
    ids = _newest(query.order_by(Job.id.desc()), states)
    last = db.session.scalar(ids.offset(LOOKED_THROUGH - 1).limit(1))
    return db.session.scalar(ids.limit(1)), UUID(int=last.int - 1) if last else None


def _newest(query: Select[Job], states: Sequence[State], most: int | None = None) -> Select[UUID]:
    """The first ids in all of these states: the first in each of them before, for which there is an index."""
    most = most or LOOKED_THROUGH
    ids = query.with_only_columns(Job.id).limit(most)
    each = (ids.where(Job.state == state).subquery() for state in states)
    found = union_all(*(select(some.c.id) for some in each)).subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(most)


def visible(owner: User, *, alone: bool = True) -> Select[Job]:
    """The owner's jobs that lists show when no kind is named, without the parts of others. `alone`: see `owned_by`."""
    hidden = [kind.name for kind in current_app.extensions["kinds"].values() if kind.hidden]
    return _of(owner, alone).where(Job.kind.not_in(hidden))


def counts(owner: User) -> dict[State, int]:
    """How many jobs that lists show are in each state that has any; `MOST_COUNTED` + 1 says that there are more."""

    def in_state(state: State) -> Select[UUID]:
        query = visible(owner).with_only_columns(Job.id).where(Job.state == state)
        return query.order_by(*NEWEST_FIRST).limit(MOST_COUNTED + 1)  # the order makes it read the index

    columns = [select(func.count()).select_from(in_state(state).subquery()).scalar_subquery() for state in State]
    found = db.session.execute(select(*columns)).one()
    return {state: count for state, count in zip(State, found, strict=True) if count}


def owned_by(owner: User) -> ColumnElement[bool]:
    """Whether a job is the owner's, said so that PostgreSQL does not see that there is one owner alone.

    It needs their order for `NEWEST_FIRST` then, which only their own indexes have. Else it reads the newest jobs of
    all owners until it has enough of this one's, which may be all of them: it cannot know how old these are.
    """
    if db.engine.dialect.name == "postgresql":
        return Job.owner_id == any_(array([owner.id]))
    return Job.owner_id == owner.id


def _of(owner: User, alone: bool) -> Select[Job]:
    """All that the owner, or the key that asks in their name, may see."""
    query = select(Job).where(owned_by(owner) if alone else Job.owner_id == owner.id)
    return query if owner.only_kind is None else query.where(Job.kind == owner.only_kind)


def _indexed(owner: User, wanted: Wanted, *, alone: bool = False) -> Select[Job]:
    """All of a filter that there is an index for."""
    by_kind = wanted.kinds or any(term.name == "kind" and not term.negative for term in wanted.terms)
    query = _of(owner, alone) if by_kind else visible(owner, alone=alone)
    if wanted.kinds:
        query = query.where(Job.kind.in_(wanted.kinds))
    if wanted.states:
        query = query.where(Job.state.in_(wanted.states))
    if wanted.ids:
        query = query.where(Job.id.in_(wanted.ids))
    if wanted.until:
        query = query.where(Job.id <= wanted.until)
    if wanted.created_after:
        query = query.where(Job.created_at > wanted.created_after)
    if wanted.created_before:
        query = query.where(Job.created_at < wanted.created_before)
    return query.where(*indexed(wanted.all_terms, few=wanted.few))


def _cursor(job_id: UUID) -> str:
    return base64.urlsafe_b64encode(job_id.bytes).decode().rstrip("=")


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except ValueError:
        raise Malformed("cursor: take it from the previous page as it is.") from None
