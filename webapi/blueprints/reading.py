"""Reading input strictly: what is not exactly right is refused with a sentence that says where and why."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from webapi.blueprints.json_text import check_json
from webapi.errors import Fault, Invalid, Malformed, UnsupportedMediaType
from webapi.queue import Once, fingerprint, seals

Model = TypeVar("Model", bound=BaseModel)

KEY = re.compile(r"[\x21-\x7e]{8,255}")


def body(model: type[Model]) -> Model:
    """The request's JSON body as `model`. Raises UnsupportedMediaType, Malformed or Invalid."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    raw = request.get_data()
    check_json(raw)
    try:
        return model.model_validate_json(raw, strict=True, extra="forbid")
    except ValidationError as error:
        raise Invalid(faults=faults_of(error)) from None


def values(model: type[Model], given: dict[str, Any]) -> Model:
    """Strings from a form or a query as `model`: '5' is a number there. Raises Invalid."""
    try:
        return model.model_validate(given, extra="forbid")
    except ValidationError as error:
        raise Invalid(faults=faults_of(error)) from None


def nested(model: type[Model], value: Any, at: str) -> Model:
    """A part of a JSON body that was read already, as `model`; `at` is the pointer to it. Raises Invalid."""
    try:
        return model.model_validate_json(json.dumps(value), strict=True, extra="forbid")
    except ValidationError as error:
        raise Invalid(faults=tuple(Fault(at + each.pointer, each.message) for each in faults_of(error))) from None


def query(model: type[Model], *, from_form: bool = False) -> Model:
    """The query string as `model`; a parameter it does not know, or one given twice, is an error.

    Fields that are lists may be repeated. A form sends the fields that were left empty too; with
    `from_form` they count as not given. Raises Malformed.
    """
    given: dict[str, Any] = {}
    for name, found in request.args.lists():
        if from_form and not any(found):
            continue
        field = model.model_fields.get(name)
        if field is None:
            raise Malformed(f"There is no parameter {name!r} here. Known are: {', '.join(model.model_fields)}.")
        many = getattr(field.annotation, "__origin__", None) is list
        if len(found) > 1 and not many:
            raise Malformed(f"{name}: give it once.")
        given[name] = found if many else found[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = faults_of(error)
        raise Malformed(f"{faults[0].pointer.removeprefix('/')}: {faults[0].message}", faults=faults) from None


def refuse_nul() -> None:
    """A NUL in an address, a query or a form is nobody's name for anything, and PostgreSQL takes none."""
    given = list((request.view_args or {}).values())
    for name, values in (*request.args.lists(), *request.form.lists()):
        given += [name, *values]
    if any("\0" in str(value) for value in given):
        raise Malformed("The request holds a NUL character.")


def once(kind: str, *asked: BaseModel) -> Once | None:
    """The header Idempotency-Key with what the request asks for; None without the header. Raises Malformed.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """
    found = key()
    if not found:
        return None
    if not any(seals.secret_fields(type(each)) for each in asked):  # then it is the same under each key
        return Once("POST /jobs", found, fingerprint(kind, *(each.model_dump(mode="json") for each in asked)))
    now, *earlier = seals.under_each_key(lambda key: fingerprint(kind, *(seals.marked(each, key) for each in asked)))
    return Once("POST /jobs", found, now, tuple(earlier))


def key() -> str | None:
    """The header Idempotency-Key. Raises Malformed."""
    found = request.headers.get("Idempotency-Key")
    if found is not None and not KEY.fullmatch(found):
        raise Malformed("Idempotency-Key: use 8 to 255 visible ASCII characters, best a random UUID.")
    return found


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Each thing that is wrong, as a JSON pointer (RFC 6901) and a sentence."""
    return tuple(
        Fault(_pointer(each["loc"]), _sentence(each)) for each in error.errors(include_url=False, include_input=False)
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _sentence(error: Any) -> str:
    """pydantic's message, as a sentence about the value instead of about pydantic."""
    if error["type"] == "missing":
        return "This is needed."
    if error["type"] == "extra_forbidden":
        return "There is no such field."
    text = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = (
        text.replace("Input should", "It should")
        .replace("String should", "It should")
        .replace("List should", "It should")
    )
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
