"""From what the ledger kept to the kind's own function, and from what it returns to what the ledger can keep."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from webapi.errors import Permanent
from webapi.queue.attempt import Attempt
from webapi.queue.seals import opened


def call(attempt: Attempt) -> Any:
    """Call the kind's function with the payload, in the shape that this program knows. Returns what may be stored.

    Raises Permanent for a payload or a result that cannot be taken, NewerPayload, and whatever the function raises.
    """
    attempt.payload = attempt.kind.upgraded(attempt.payload, attempt.payload_version)
    attempt.payload_version = attempt.kind.version
    try:
        payload = opened(attempt.kind, attempt.payload, attempt.owner_id)
    except ValidationError as error:
        raise Permanent("This version of the program no longer takes this job's payload.") from error
    result = attempt.kind.function(payload)
    return _storable(result.model_dump(mode="json") if isinstance(result, BaseModel) else result)


def _storable(result: Any) -> Any:
    """The result, if every database takes it: JSON without NaN and NUL. Raises Permanent."""
    try:
        text = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Permanent(f"The job's result is no JSON: {error}.") from error
    if "\\u0000" in text:
        raise Permanent("The job's result holds a NUL character.")
    return result
