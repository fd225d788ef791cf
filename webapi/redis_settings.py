"""The settings about Redis: REDIS_URL, REDIS_URL_<QUEUE> for a queue's own server, and what production asks of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from webapi import brokers
from webapi.errors import ConfigError

PREFIX, FILE = "REDIS_URL_", "_FILE"
LIMITER_TIMEOUT = 0.5  # seconds that a request to a limited page waits for Redis


class QueueURLs(PydanticBaseSettingsSource):
    """`REDIS_URL_EMAIL` as the key `EMAIL` of REDIS_URLS; `REDIS_URL_EMAIL_FILE` names a file that holds it."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._variables = variables

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, str] = {}
        for name, value in self._variables.items():
            if not value or not name.startswith(PREFIX) or name == f"{PREFIX}{FILE[1:]}":
                continue
            queue = name.removeprefix(PREFIX)
            if queue.endswith(FILE):
                found[queue.removesuffix(FILE)] = _content(name, value)
            else:
                found.setdefault(queue, value)
        return {"REDIS_URLS": found} if found else {}


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").removesuffix("\n")
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error.strerror}.") from error


def as_configured(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all settings, with the URLs as they are to be used, and where the limiter counts."""
    found = dict(values)
    if not values["REDIS_VERIFY_CERTIFICATES"]:
        found["REDIS_URL"] = unverified(values["REDIS_URL"])
        found["REDIS_URLS"] = {queue: unverified(url) for queue, url in values["REDIS_URLS"].items()}
    pool = brokers.client(found["REDIS_URL"], LIMITER_TIMEOUT).connection_pool
    return found | {"RATELIMIT_STORAGE_URI": "webapi+redis://", "RATELIMIT_STORAGE_OPTIONS": {"connection_pool": pool}}


def unverified(url: str) -> str:
    """The URL for whoever accepts any certificate; one without TLS stays as it is."""
    if not brokers.read(url).tls:
        return url
    base, _, query = url.partition("?")
    return f"{base}?{urlencode(dict(parse_qsl(query)) | {'ssl_cert_reqs': 'none'})}"


def refuse_unsafe(name: str, url: str, *, verify: bool) -> None:
    """What production does not start with. `name` is the setting's. Raises ValueError."""
    broker = brokers.read(url)
    if broker.reachable_by_others and not broker.password:
        raise ValueError(f"{name}: a Redis that others can reach needs a password")
    if broker.unverified and verify:
        raise ValueError(
            f"{name}: with ssl_cert_reqs=none whoever is in between reads along; name the authority with ssl_ca_certs, "
            "or accept it with REDIS_VERIFY_CERTIFICATES=false"
        )


def suffix(queue: str) -> str:
    """How a queue is written at the end of REDIS_URL_<QUEUE>."""
    return re.sub(r"[^A-Z0-9]", "_", queue.upper())


def by_queue(urls: Mapping[str, str]) -> dict[str, str]:
    """The URLs under the suffixes of their queues. Raises ValueError for what cannot be read."""
    found = {suffix(queue): url for queue, url in urls.items()}
    if len(found) < len(urls):
        raise ValueError("a queue is named twice")
    for queue, url in found.items():
        try:
            brokers.read(url)
        except ValueError as error:
            raise ValueError(f"{queue}: {error}") from None
    return found


def named(url: str, urls: Mapping[str, str]) -> dict[str, str]:
    """Every URL under the name of its setting."""
    return {"REDIS_URL": url} | {f"REDIS_URL_{queue}": each for queue, each in urls.items()}
