"""Terms become conditions on the table of jobs. Every value is bound, none is part of a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, literal_column, or_, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB

from webapi.extensions import db
from webapi.models import Job
from webapi.models.columns import after
from webapi.services.job_queries.terms import Term
from webapi.services.job_queries.times import Span

# An id is made by the clock of a process and `created_at` by the database's; so far apart they may be.
CLOCKS_APART = timedelta(hours=3)

Condition = ColumnElement[bool]
NONE: ColumnElement[Any] = literal_column("'[]'::jsonb")


def indexed(terms: Iterable[Term], *, few: bool = False) -> list[Condition]:
    """What the terms ask of a job, as far as there is an index for it.

    With `few` other conditions leave few jobs. Tags are then among the `slow`: their index is not in the order of a
    list, and what it finds may be far more.
    """
    found = []
    for term in terms:
        if not _is_slow(term, few):
            found += [_condition(term, Job), *_ids(term)]
    return found


def slow(terms: Iterable[Term], job: Any = Job, *, few: bool = False) -> list[Condition]:
    """The rest, which is only seen by reading one `job` after the other: what is not, the end, and text.

    Text is looked for in kind, tags, the error's code and sentence, and the progress note.
    """
    return [
        ~_true(_condition(term, job)) if term.negative else _condition(term, job)
        for term in terms
        if _is_slow(term, few)
    ]


def first_id(moment: datetime) -> UUID:
    """The least id that was made at that moment: a UUIDv7 begins with the milliseconds since 1970."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _is_slow(term: Term, few: bool) -> bool:
    return term.negative or term.name in {"", "finished"} or (few and term.name == "tag")


def _condition(term: Term, job: Any) -> Condition:
    return CONDITIONS[term.name](job, term)


def _in_spans(column: Any, spans: Iterable[Span], comparison: str) -> Condition:
    return or_(*(_in_span(column, *span)[comparison] for span in spans))


def _in_span(column: Any, begin: datetime, end: datetime) -> dict[str, Condition]:
    return {
        "": and_(column >= begin, column < end),
        ">": column >= end,
        ">=": column >= begin,
        "<": column < begin,
        "<=": column < end,
    }


def _begins(column: Any, ranges: Iterable[tuple[UUID, UUID]]) -> Condition:
    return or_(*(column.between(first, last) for first, last in ranges))


def _has_tag(job: Any, tag: str) -> Condition:
    if db.engine.dialect.name == "postgresql":
        # Both, because the index holds only the rows that have tags.
        return and_(job.tags != NONE, type_coerce(job.tags, JSONB).contains([tag]))
    each = func.json_each(job.tags).table_valued("value")
    return select(1).select_from(each).where(each.c.value == tag).exists()


def _holds(job: Any, value: str) -> Condition:
    pattern = "%" + value.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    columns = (job.kind, job.error_code, job.error_public, job.progress_note)
    elements = func.jsonb_array_elements_text if db.engine.dialect.name == "postgresql" else func.json_each
    each = elements(job.tags).table_valued("value")
    in_tags = select(1).select_from(each).where(func.lower(each.c.value).like(pattern, escape="\\")).exists()
    return or_(*(func.lower(column).like(pattern, escape="\\") for column in columns), in_tags)


CONDITIONS: dict[str, Callable[[Any, Term], Condition]] = {
    "": lambda job, term: or_(*(_holds(job, value) for value in term.values)),
    "state": lambda job, term: job.state.in_(term.values),
    "kind": lambda job, term: job.kind.in_(term.values),
    "tag": lambda job, term: or_(*(_has_tag(job, tag) for tag in term.values)),
    "error": lambda job, term: job.error_code.in_(term.values),
    "older": lambda job, term: job.created_at < after(-min(term.values)),
    "newer": lambda job, term: job.created_at > after(-max(term.values)),
    "created": lambda job, term: _in_spans(job.created_at, term.values, term.comparison),
    "finished": lambda job, term: _in_spans(job.finished_at, term.values, term.comparison),
    "schedule": lambda job, term: _begins(job.schedule_id, term.values),
    "id": lambda job, term: _begins(job.id, term.values),
}


def _true(condition: Condition) -> Condition:
    """Never NULL: a job that has no error at all has not this one either."""
    found: Condition = func.coalesce(condition, false())
    return found


def _ids(term: Term) -> list[Condition]:
    """What a time says about ids, so that the database need not read the jobs of all other times."""
    now = datetime.now(UTC)
    if term.name == "older":
        return [Job.id < first_id(now - timedelta(seconds=min(term.values)) + CLOCKS_APART)]
    if term.name == "newer":
        return [Job.id > first_id(now - timedelta(seconds=max(term.values)) - CLOCKS_APART)]
    if term.name != "created":
        return []
    found = []
    if not term.comparison.startswith("<"):
        found.append(Job.id > first_id(min(begin for begin, _ in term.values) - CLOCKS_APART))
    if not term.comparison.startswith(">"):
        found.append(Job.id < first_id(max(end for _, end in term.values) + CLOCKS_APART))
    return found
