"""What `STORAGE_URL` says: a folder of this machine, or a bucket of an S3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

SCHEME = "s3://"
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)*")
SECONDS = re.compile(r"[1-9]\d{0,2}")
OPTIONS = {"endpoint", "region", "addressing", "links", "timeout"}


@dataclass(frozen=True)
class Bucket:
    """`prefix` is empty or ends with a slash. `timeout` is in seconds, for each wait on the other side.

    With `links`, downloads are sent on to signed addresses of the bucket; without it they pass through us.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    addressing: str = "virtual"
    links: bool = False
    timeout: float = 10.0

    @property
    def place(self) -> str:
        """For people. It holds no secret."""
        return f"{SCHEME}{self.name}/{self.prefix}".rstrip("/")


def location(url: str) -> str:
    """The same place, spelt out: an absolute path, or an address that `bucket` takes. Raises ValueError."""
    if url.startswith(SCHEME):
        bucket(url)
        return url
    if "://" in url and not url.startswith("file:///"):
        raise ValueError("give a path of a local disk, or s3://bucket/prefix")
    return str(Path(url.removeprefix("file://")).resolve())


def bucket(url: str) -> Bucket:
    """What an s3:// address means. Raises ValueError with a sentence that repeats no secret."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("credentials do not belong into the address: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY")
    prefix = parts.path.strip("/")
    prefix = prefix and f"{prefix}/"
    if not NAME.fullmatch(parts.netloc) or not PREFIX.fullmatch(prefix):
        raise ValueError("write s3://bucket/prefix, of letters, digits, dots, hyphens and underscores")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - OPTIONS):
        raise ValueError(f"there is no option {unknown[0]!r}; there are {', '.join(sorted(OPTIONS))}")
    endpoint = options.get("endpoint")
    return Bucket(
        parts.netloc,
        prefix,
        endpoint and _endpoint(endpoint),
        options.get("region") or None,
        # A server of one's own seldom has a name for each bucket.
        _one_of(options, "addressing", ("path", "virtual") if endpoint else ("virtual", "path")),
        _one_of(options, "links", ("off", "on")) == "on",
        _seconds(options.get("timeout", "10")),
    )


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("the endpoint is an address like https://s3.example.com")
    return text.rstrip("/")


def _one_of(options: dict[str, str], name: str, values: tuple[str, ...]) -> str:
    """The first of the values is the default."""
    value = options.get(name, values[0])
    if value not in values:
        raise ValueError(f"{name} is {' or '.join(sorted(values))}")
    return value


def _seconds(text: str) -> float:
    if not SECONDS.fullmatch(text):
        raise ValueError("timeout is a number of seconds, from 1 to 999")
    return float(text)
