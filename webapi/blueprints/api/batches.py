"""Many jobs of one kind in one request."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from webapi.blueprints import reading
from webapi.blueprints.api.jobs import SubmitQuery
from webapi.blueprints.api.openapi import refuse_query, takes_query
from webapi.blueprints.identity import asker, require_anyone, sandbox
from webapi.blueprints.json_text import check_json
from webapi.errors import Fault, Invalid, Malformed, UnsupportedMediaType, WebapiError
from webapi.queue import Once, fingerprint, seals
from webapi.queue.batch import MOST
from webapi.services import batches, jobs
from webapi.services.batches import Verdicts

bp = APIBlueprint("api_batches", __name__, tag="Batches")
bp.before_request(require_anyone)
bp.before_request(refuse_query)

LARGEST = 16 * 1024 * 1024  # bytes
LINE = re.compile(rb"[^\r\n]+")
LINES = {"application/x-ndjson", "application/ndjson", "application/jsonl"}


class BatchQuery(SubmitQuery):
    """When and how the jobs are to run, and what becomes of them when some are not right."""

    partial: bool = Field(False, description="Accept those that are right, and say what is wrong with the others.")


class FaultOut(BaseModel):
    pointer: str
    message: str


class ItemProblem(BaseModel):
    """Why an item was not accepted, as the single job would have been answered."""

    status: int
    code: str
    detail: str
    errors: list[FaultOut]


class ItemOut(BaseModel):
    """What became of one item: its job, or its problem."""

    index: int = Field(description="Its place in the batch, from 0.")
    id: UUID | None
    problem: ItemProblem | None


class BatchOut(BaseModel):
    """What became of each item, in their order. `GET /jobs/{id}` shows one of the jobs."""

    accepted: int
    refused: int
    items: list[ItemOut]


@bp.post("/jobs/<kind>/batch")
@takes_query(BatchQuery)
@bp.output(BatchOut, status_code=202, description="The accepted jobs are on disk and will reach a final state.")
def submit(kind: str) -> tuple[BatchOut, int, dict[str, str]]:
    """Submit up to 10,000 jobs of one kind, all or none of them"""
    declared, query = jobs.public_kind(kind), reading.query(BatchQuery)
    jobs.check_may(asker(), declared)  # before 16 MB are read for nothing
    items = _items()
    verdicts = batches.submit(
        asker(), declared, _read(declared.payload, items), partial=query.partial, once=_once(kind, query, items),
        sandbox=sandbox(), delay=query.delay, run_at=query.run_at, deadline_at=query.deadline,
        priority=query.priority, tags=query.tag, callback_url=query.callback_url,
    )  # fmt: skip
    return _shape(verdicts), 202, {"Idempotency-Replayed": "true"} if verdicts.replayed else {}


def _items() -> list[Any]:
    """The documents in the body. Raises UnsupportedMediaType, Malformed, Invalid and TooLarge."""
    request.max_content_length = min(LARGEST, request.max_content_length or LARGEST)
    if request.mimetype in LINES:
        body = request.get_data()
        found = (each for each in LINE.finditer(body) if each[0].strip())
        lines = _counted(list(islice(found, MOST + 1)))  # counted before the first of them is looked at
        return [_document(body, line) for line in lines]
    if request.mimetype == "application/json":
        return _counted(check_json(request.get_data()))
    raise UnsupportedMediaType("Send the batch as application/json or application/x-ndjson.")


def _counted(items: Any) -> list[Any]:
    if not isinstance(items, list) or not 1 <= len(items) <= MOST:
        raise Invalid(faults=(Fault("", f"A batch is a list of 1 to {MOST:,} payloads."),))
    return items


def _document(body: bytes, line: re.Match[bytes]) -> Any:
    try:
        return check_json(line[0])
    except Malformed as error:
        number = len(body[: line.start()].splitlines()) + 1
        raise Malformed(f"Line {number}: {error.message.replace('The body', 'It')}") from None


def _read(model: type[BaseModel], items: list[Any]) -> dict[int, BaseModel | WebapiError]:
    """Each item as a payload, or what is wrong with it. Where all are right, one pass reads them all."""
    try:
        adapter: TypeAdapter[list[BaseModel]] = TypeAdapter(list[model])  # type: ignore[valid-type]
        return dict(enumerate(adapter.validate_json(json.dumps(items), strict=True, extra="forbid")))
    except ValidationError:
        return {index: _one(model, item) for index, item in enumerate(items)}


def _one(model: type[BaseModel], item: Any) -> BaseModel | WebapiError:
    try:
        return reading.nested(model, item, "")
    except Invalid as error:
        return error


def _once(kind: str, query: BatchQuery, items: list[Any]) -> Once | None:
    found = reading.key()
    if found is None:
        return None
    asked = query.model_dump(mode="json")
    now, *earlier = seals.under_each_key(lambda key: fingerprint(kind, asked, seals.digest(items, key)))
    return Once("POST /jobs/batch", found, now, tuple(earlier))


def _shape(verdicts: Verdicts) -> BatchOut:
    found = {index: ItemOut(index=index, id=job_id, problem=None) for index, job_id in verdicts.accepted.items()}
    for index, error in verdicts.refused.items():
        faults = [FaultOut(pointer=each.pointer, message=each.message) for each in error.faults]
        problem = ItemProblem(status=error.status, code=error.code, detail=error.message, errors=faults)
        found[index] = ItemOut(index=index, id=None, problem=problem)
    items = [found[index] for index in sorted(found)]
    return BatchOut(accepted=len(verdicts.accepted), refused=len(verdicts.refused), items=items)
