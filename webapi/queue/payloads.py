"""The model of a kind's payload, found in its function's signature and refused where the ledger could not keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, SecretBytes, SecretStr

from webapi.errors import Conflict

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


class NewerPayload(Conflict):
    """A newer version of the program wrote this payload. Run that version, or wait until it runs everywhere."""

    code = "newer_payload"


def payload_of(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    """The annotation of the function's one parameter. Raises TypeError, with what to write instead."""
    parameters = list(signature(function).parameters)
    if len(parameters) != 1:
        raise TypeError(f"{name} must take one parameter, its payload; it takes {len(parameters)}.")
    payload = get_type_hints(function).get(parameters[0])
    if not (isinstance(payload, type) and issubclass(payload, BaseModel)):
        raise TypeError(f"{name}: annotate its parameter with a pydantic model.")
    for field in _masked(payload, {payload}):
        raise TypeError(
            f"{name}: {field} is a secret that writes itself as asterisks, so a worker would get those. "
            "Declare it as a str with Field(json_schema_extra={'writeOnly': True}); it is kept encrypted."
        )
    return payload


def _masked(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[str]:
    """The fields, of models inside too, whose JSON is a mask."""
    for name, field in model.model_fields.items():
        for part in _parts(field.annotation):
            if not isinstance(part, type):
                continue
            if issubclass(part, SecretStr | SecretBytes):
                yield name
            elif issubclass(part, BaseModel) and part not in seen:
                seen.add(part)
                yield from (f"{name}.{inner}" for inner in _masked(part, seen))


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and what it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
