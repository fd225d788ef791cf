"""Reading input strictly: what is not exactly right is refused with a sentence that says where and why."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from webapi.errors import Fault, Invalid, Malformed, UnsupportedMediaType
from webapi.queue import Once, fingerprint, seals

Model = TypeVar("Model", bound=BaseModel)

DEEPEST = 32
WIDEST = 2**63  # an integer beyond 64 bits has no place in a database
KEY = re.compile(r"[\x21-\x7e]{8,255}")
BAD_TEXT = re.compile(r"[\x00\ud800-\udfff]")


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
    given = [*(request.view_args or {}).values(), *request.args, *request.form]
    given += [value for values in (request.args, request.form) for each in values.listvalues() for value in each]
    if any("\0" in str(value) for value in given):
        raise Malformed("The request holds a NUL character.")


def once(kind: str, *asked: BaseModel) -> Once | None:
    """The header Idempotency-Key with what the request asks for; None without the header. Raises Malformed.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """
    found = key()
    if not found:
        return None
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


def check_json(raw: bytes) -> Any:
    """What a JSON text says; what libraries disagree about (RFC 8259 section 4, RFC 7493) is refused with Malformed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise Malformed("The body begins with a byte order mark; leave it out.")
    try:
        document = json.loads(
            text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_int=_int, parse_float=_float
        )
    except json.JSONDecodeError as error:
        raise Malformed(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Malformed(f"The body is nested more than {DEEPEST} levels deep.") from None
    _check_tree(document, 1)
    return document


def _check_tree(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise Malformed(f"The body is nested more than {DEEPEST} levels deep.")
    if isinstance(value, str) and BAD_TEXT.search(value):
        raise Malformed("A string holds a NUL or half of a surrogate pair.")
    if isinstance(value, dict):
        for name in value:
            _check_tree(name, depth)
    children: Sequence[Any] = (
        list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for child in children:
        _check_tree(child, depth + 1)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("An object has the same name twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON.")


def _int(digits: str) -> int:
    if len(digits) > 20 or not -WIDEST <= int(digits) < WIDEST:
        raise Malformed("An integer does not fit into 64 bits.")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Malformed(f"{digits[:20]} is too large a number.")
    return number


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
