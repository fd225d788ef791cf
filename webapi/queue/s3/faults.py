"""What goes wrong with an S3: what may pass by itself, and a sentence for whoever has to do something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import ConnectionError as Unconnected
from structlog import get_logger
from urllib3.exceptions import HTTPError

from webapi.errors import ConfigError, StoreAway

BROKEN = (BotoCoreError, ClientError, HTTPError, OSError)
LATER = {"RequestTimeout", "SlowDown", "Throttling", "TooManyRequests", "OperationAborted"}
ELSEWHERE = {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
SENTENCES = {
    "NoSuchBucket": "There is no such bucket: make it, or correct STORAGE_URL.",
    "InvalidAccessKeyId": "The access key is not known there: correct S3_ACCESS_KEY_ID, or what AWS hands out.",
    "SignatureDoesNotMatch": "The secret key is another one: correct S3_SECRET_ACCESS_KEY, or what AWS hands out.",
    "ExpiredToken": "The credentials have expired.",
    "RequestTimeTooSkewed": "This machine's clock is wrong: keep it by NTP.",
}

log = get_logger()


@contextmanager
def away() -> Iterator[None]:
    """What goes wrong with a store passes, whatever it is: somebody will see to it. Raises StoreAway."""
    try:
        yield
    except FileNotFoundError:
        raise
    except BROKEN as error:
        log.warning("file store away", error=type(error).__name__, code=code_of(error))
        raise StoreAway from error


def explained(error: Exception, place: str) -> ConfigError | StoreAway:
    """An error for operators: what is to be done, or that the store does not answer."""
    code = code_of(error)
    if code in SENTENCES:
        return ConfigError(f"{place}: {SENTENCES[code]}")
    if code in ELSEWHERE:
        return ConfigError(f"{place}: The bucket is in another region: add ?region=… to STORAGE_URL.")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return ConfigError(f"{place}: There are no credentials; docs/storage.md says where they may stand.")
    if isinstance(error, ClientError) and not passing(error):
        return ConfigError(f"{place}: {error.operation_name} is refused ({code}); docs/storage.md has the policy.")
    return StoreAway(f"{place}: It does not answer ({code or type(error).__name__}).")


def passing(error: Exception) -> bool:
    """Whether the same request may go better in a moment."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or status == 429 or code_of(error) in LATER
    return isinstance(error, HTTPClientError | Unconnected)


def code_of(error: Exception) -> str:
    """What the other side calls it; nothing where it said nothing."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""
