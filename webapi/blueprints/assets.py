"""Static files: an address that changes with their bytes, kept by browsers for a year, sent compressed."""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request

KEEP = 31_536_000  # seconds: a year, the longest that RFC 9111 caches are asked to honour
COMPRESSED = {"text/css", "text/javascript", "image/svg+xml"}
LEAST = 512  # bytes; below it the headers weigh more than what is saved


def init_app(app: Flask) -> None:
    app.url_defaults(_name_version)
    app.after_request(_finish)


def _name_version(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static" and "filename" in values:
        values.setdefault("v", _version(values["filename"]))


def _version(filename: str) -> str | None:
    """The beginning of the file's SHA-256, or None when there is no such file."""
    path = Path(str(current_app.static_folder)) / filename
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return None
    return _digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _digest(path: Path, changed: int, size: int) -> str:
    """`changed` and `size` are only there so that a file that was changed is read again."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _finish(response: Response) -> Response:
    if request.endpoint != "static" or response.status_code not in {200, 304}:
        return response
    given = request.args.get("v")
    if given and given == _version((request.view_args or {})["filename"]):
        response.headers["Cache-Control"] = f"public, max-age={KEEP}, immutable"
    if response.mimetype in COMPRESSED:
        response.vary.add("Accept-Encoding")
        if response.status_code == 200 and "Range" not in request.headers and request.accept_encodings["gzip"]:
            return _compressed(response)
    return response


def _compressed(response: Response) -> Response:
    """The same in fewer bytes, under an entity tag of its own. Only here: a page holds secrets, and BREACH is real."""
    response.direct_passthrough = False
    whole = response.get_data()
    if len(whole) < LEAST:
        return response
    tag = (response.get_etag()[0] or "") + "-gzip"
    response.set_data(_gzipped(whole))
    response.headers["Content-Encoding"] = "gzip"
    response.set_etag(tag)
    response.make_conditional(request)
    return response


@lru_cache(maxsize=64)
def _gzipped(whole: bytes) -> bytes:
    return gzip.compress(whole, 9, mtime=0)
