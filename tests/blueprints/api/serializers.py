"""How schemathesis writes the bodies that it does not know: SCHEMATHESIS_HOOKS names this module."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from schemathesis import SerializationContext


@schemathesis.serializer("application/x-ndjson", "message/rfc822")
def lines(context: SerializationContext, value: Any) -> bytes:
    """Text as it is, and anything else as JSON lines."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return "\n".join(map(json.dumps, value if isinstance(value, list) else [value])).encode()
