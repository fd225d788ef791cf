"""One act on many jobs, for programs."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from webapi.blueprints import reading
from webapi.blueprints.api.jobs import FilterQuery
from webapi.blueprints.api.openapi import refuse_query, takes_query
from webapi.blueprints.identity import me, require_anyone, sandbox
from webapi.models import EffectState, State
from webapi.services import bulk, job_lists

bp = APIBlueprint("api_bulk", __name__, tag="Many jobs")
bp.before_request(require_anyone)
bp.before_request(refuse_query)


class BulkQuery(FilterQuery):
    """Which jobs to act on; at least one filter is needed."""

    until: UUID | None = Field(None, description="Only jobs up to this id, such as the previous call's further.")
    dry_run: bool = Field(False, description="Only say what would be done.")

    def wanted(self) -> job_lists.Wanted:
        return replace(super().wanted(), until=self.until)


class OutcomeOut(BaseModel):
    """What was done, or would be. Effects that are done are not repeated; unknown ones wait for a person."""

    model_config = ConfigDict(from_attributes=True)

    dry_run: bool
    changed: int
    jobs: dict[State, int]
    effects: dict[EffectState, int]
    partly: int = Field(description="Jobs that have effects which are done already, and are not repeated.")
    left_out: dict[str, int] = Field(description="Jobs that match and stay as they are, by the reason.")
    remaining: int = Field(description="Jobs that match too, and are for the next call; counted up to 10,000.")
    further: UUID | None = Field(
        description="Text and negative terms are looked for in the newest 5,000 jobs; `until` for the others."
    )


@bp.post("/jobs/cancel")
@takes_query(BulkQuery)
@bp.output(OutcomeOut)
def cancel() -> OutcomeOut:
    """Cancel the waiting jobs that a filter finds, and ask the running ones to stop"""
    query = reading.query(BulkQuery)
    return OutcomeOut.model_validate(bulk.cancel(me(), query.wanted(), dry_run=query.dry_run))


@bp.post("/jobs/replay")
@takes_query(BulkQuery)
@bp.output(OutcomeOut)
def replay() -> OutcomeOut:
    """Run the jobs again that a filter finds and that did not succeed; without a state, never those that did"""
    query = reading.query(BulkQuery)
    return OutcomeOut.model_validate(bulk.replay(me(), query.wanted(), dry_run=query.dry_run, sandbox=sandbox()))
