"""The error tree, and the one place where an error becomes HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input: where (a JSON pointer, RFC 6901) and a sentence."""

    pointer: str
    message: str


class WebapiError(Exception):
    """Something went wrong that we can name.

    The message is a sentence for whoever asked. It must not hold a secret: it is shown on pages,
    in answers and on the job.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    result: Any = None  # what a job has to show although it failed

    def __init__(
        self,
        message: str | None = None,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
        **details: Any,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip().partition("\n")[0]
        self.faults = faults
        self.headers = headers or {}
        self.details = details
        super().__init__(self.message)

    @property
    def sentence(self) -> str:
        """What is wrong in particular, where only one text is shown."""
        return " ".join(fault.message for fault in self.faults) or self.message


class ConfigError(WebapiError):
    """The configuration is wrong."""

    code = "configuration"


class Malformed(WebapiError):
    """The request could not be read."""

    status, code = 400, "malformed"


class NotSignedIn(WebapiError):
    """Sign in, or send an API key as 'Authorization: Bearer wapi_…'."""

    status, code = 401, "not_signed_in"


class Forbidden(WebapiError):
    """You may not do this."""

    status, code = 403, "forbidden"


class InsufficientScope(Forbidden):
    """This key may not do this."""

    code = "insufficient_scope"

    def __init__(self, message: str, scope: str) -> None:
        """`scope` is what a key would need (RFC 6750 section 3.1)."""
        challenge = f'Bearer realm="webapi", error="insufficient_scope", scope="{scope}"'
        super().__init__(message, headers={"WWW-Authenticate": challenge})


class NotFound(WebapiError):
    """There is nothing here."""

    status, code = 404, "not_found"


class NotAcceptable(WebapiError):
    """The answer is application/json; accept that."""

    status, code = 406, "not_acceptable"


class Conflict(WebapiError):
    """The state does not allow this."""

    status, code = 409, "conflict"


class PreconditionFailed(WebapiError):
    """What you have seen is no longer what is there."""

    status, code = 412, "precondition_failed"


class TooLarge(WebapiError):
    """This is more than may be sent here."""

    status, code = 413, "content_too_large"


class UnsupportedMediaType(WebapiError):
    """Send the body as application/json."""

    status, code = 415, "unsupported_media_type"


class Invalid(WebapiError):
    """Some of the values are not right."""

    status, code = 422, "invalid"


class QuotaReached(WebapiError):
    """You have as many open jobs as you may have. Try again when some are over."""

    status, code = 429, "quota_reached"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, headers={"Retry-After": "30"})


class RateLimited(WebapiError):
    """You ask too often. Wait a little."""

    status, code = 429, "rate_limited"

    def __init__(self, limit: int, wait: int) -> None:
        sentence = f"You may make {limit} requests a minute, and have made them. Try again in {wait} s."
        super().__init__(sentence, headers={"Retry-After": str(wait)})


class StorageFull(TooLarge):
    """There is no room left for your files."""

    code = "storage_full"


class DatabaseAway(WebapiError):
    """The database cannot be reached. Try again shortly."""

    status, code = 503, "database_away"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


class Permanent(WebapiError):
    """The job cannot succeed, however often it is tried."""

    code = "permanent"

    def __init__(self, message: str | None = None, *, result: Any = None) -> None:
        self.result = result
        super().__init__(message)


class Transient(WebapiError):
    """The job did not succeed this time.

    `retry_after` is the least number of seconds to wait, when the other side named one.
    """

    status, code = 503, "transient"

    def __init__(self, message: str | None = None, *, retry_after: float | None = None, result: Any = None) -> None:
        self.retry_after, self.result = retry_after, result
        super().__init__(message)


class StoreAway(Transient):
    """The file store cannot be reached. Try again shortly."""

    code = "store_away"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, retry_after=15.0)
        self.headers = {"Retry-After": "15"}
