"""Secrets at rest: what a payload's model declares `writeOnly` is encrypted wherever the ledger keeps it.

Each value becomes a Fernet token (AES-CBC with HMAC-SHA256, https://github.com/fernet/spec) under a key that HKDF
(RFC 5869) derives from SECRET_KEY and the owner's id: a token that is copied into another's payload opens nowhere.
What was sealed under a key in SECRET_KEY_FALLBACKS still opens. Names within a secret object stay readable.

Only fields of the model itself are looked at, not those of models inside it.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from pydantic import BaseModel

from webapi.errors import Conflict, Fault, Invalid
from webapi.queue.job import Kind

PURPOSE = b"webapi sealed payload v1 "
SHOWN = "***"  # instead of a value


class Unopenable(Conflict):
    """A secret was sealed under another SECRET_KEY. Put that key into SECRET_KEY_FALLBACKS, or give the secret anew."""

    code = "unopenable"


@cache
def secret_fields(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields whose values nobody is shown again."""
    extras = {name: each.json_schema_extra for name, each in model.model_fields.items()}
    return frozenset(name for name, extra in extras.items() if isinstance(extra, dict) and extra.get("writeOnly"))


def sealed(payload: BaseModel, owner_id: UUID) -> dict[str, Any]:
    """The payload as the ledger keeps it."""
    document = payload.model_dump(mode="json")
    if names := secret_fields(type(payload)):
        box = _box(owner_id)
        document |= {name: _each(document[name], lambda leaf: box.encrypt(_bytes(leaf)).decode()) for name in names}
    return document


def plain(model: type[BaseModel], document: Mapping[str, Any], owner_id: UUID) -> dict[str, Any]:
    """A document, or a part of one, that the ledger kept, with its secrets. Raises Unopenable."""
    names = secret_fields(model) & document.keys()
    if not names:
        return dict(document)
    box = _box(owner_id)
    try:
        return {**document, **{name: _each(document[name], lambda leaf: _opened(box, leaf)) for name in names}}
    except InvalidToken:
        raise Unopenable from None


def opened(kind: Kind, document: Mapping[str, Any], owner_id: UUID) -> BaseModel:
    """The payload that the ledger kept, as the kind's function takes it. Raises Unopenable and ValidationError."""
    return kind.payload.model_validate_json(current_app.json.dumps(plain(kind.payload, document, owner_id)))


@cache
def secret_names(model: type[BaseModel]) -> Mapping[str, frozenset[str]]:
    """Of fields that are shown, the names in them, in lower case, whose values are not.

    The model moves such values to a `writeOnly` field; what was kept before it did so still has them there.
    """
    extras = {name: each.json_schema_extra for name, each in model.model_fields.items()}
    return {
        name: frozenset(map(str, extra["secretNames"]))  # type: ignore[arg-type]
        for name, extra in extras.items()
        if isinstance(extra, dict) and "secretNames" in extra
    }


def masked(model: type[BaseModel], document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as its owner may see it."""
    shown = dict(document)
    for name in secret_fields(model) & document.keys():
        shown[name] = _each(document[name], lambda leaf: SHOWN)
    for name, secret in secret_names(model).items():
        if isinstance(shown.get(name), dict):
            shown[name] = {each: SHOWN if each.lower() in secret else value for each, value in shown[name].items()}
    return shown


def secrets(model: type[BaseModel], document: Mapping[str, Any], owner_id: UUID) -> list[str]:
    """Every secret value of a document that the ledger kept. Raises Unopenable."""
    found: list[str] = []
    if names := secret_fields(model) & document.keys():
        open_ones = plain(model, document, owner_id)
        _each({name: open_ones[name] for name in names}, lambda leaf: found.append(str(leaf)))
    return found


def refuse_masks(payload: BaseModel) -> None:
    """What is shown instead of a secret is no value: kept, it would take the secret's place. Raises Invalid."""
    found: list[str] = []
    document = payload.model_dump(mode="json")
    for name in sorted(secret_fields(type(payload))):
        _each(document[name], lambda leaf, name=name: found.append(name) if leaf == SHOWN else None)  # type: ignore[misc]
    if found:
        sentence = f"{SHOWN} stands for a value that is kept. Leave the field out to keep it, or give the value itself."
        raise Invalid(faults=tuple(Fault(f"/{name}", sentence) for name in dict.fromkeys(found)))


def resealed(model: type[BaseModel], document: Mapping[str, Any], owner_id: UUID) -> dict[str, Any]:
    """A document that the ledger kept, with each secret under the first key. Raises Unopenable."""
    names = secret_fields(model) & document.keys()
    box = _box(owner_id)
    try:
        return {**document, **{name: _each(document[name], lambda leaf: _rotated(box, leaf)) for name in names}}
    except InvalidToken:
        raise Unopenable from None


def under_each_key(make: Callable[[bytes], str]) -> tuple[str, ...]:
    """What `make` makes of the key for `marked` and `digest`, and of those in SECRET_KEY_FALLBACKS.

    The first is to be kept; the others are how a process of before, or one that runs with the next key already, says
    the same.
    """
    return tuple(make(hmac.digest(secret.encode(), b"webapi fingerprint v1", "sha256")) for secret in _secrets())


def marked(payload: BaseModel, key: bytes) -> dict[str, Any]:
    """The payload with a keyed digest instead of each secret: to tell two requests apart, and for nothing else."""
    document = payload.model_dump(mode="json")
    names = secret_fields(type(payload))
    return document | {
        name: _each(document[name], lambda leaf: hmac.digest(key, _bytes(leaf), "sha256").hex()) for name in names
    }


def digest(document: Any, key: bytes) -> str:
    """A keyed digest of a document that may hold secrets."""
    return hmac.digest(key, json.dumps(document, sort_keys=True).encode(), "sha256").hex()


def _secrets() -> list[str]:
    return [current_app.config["SECRET_KEY"], *(current_app.config.get("SECRET_KEY_FALLBACKS") or [])]


def _box(owner_id: UUID) -> MultiFernet:
    """Seals with the first key and opens with any."""
    return MultiFernet([_fernet(secret, owner_id) for secret in _secrets()])


def _fernet(secret: str, owner_id: UUID) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE + owner_id.bytes).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _opened(box: MultiFernet, leaf: Any) -> Any:
    if not isinstance(leaf, str):
        raise InvalidToken
    return json.loads(box.decrypt(leaf.encode()))


def _rotated(box: MultiFernet, leaf: Any) -> str:
    if not isinstance(leaf, str):
        raise InvalidToken
    return box.rotate(leaf.encode()).decode()


def _bytes(leaf: Any) -> bytes:
    return json.dumps(leaf).encode()


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same shape with each value changed; nothing stays nothing."""
    if isinstance(value, dict):
        return {name: _each(inner, change) for name, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, change) for inner in value]
    return value if value is None else change(value)
