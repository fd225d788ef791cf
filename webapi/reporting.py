"""Reports of errors to Sentry, when SENTRY_DSN is set; the extra `sentry` brings the library.

What is reported is what the log says of an error: a constant message, the type and the places of an exception, and
ids. Its own message may hold an address or a body, and so may a request, a variable or a breadcrumb: they stay here.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from structlog.typing import EventDict

from webapi.errors import ConfigError
from webapi.version import VERSION

APP = "webapi"  # what Flask says of an error that our own handler tells of too
sentry_sdk: Any = None  # the library, once there is somebody to report to: it takes a tenth of a second and 3 MB
LEVELS = {"error", "critical"}
IDS = ("request", "job", "kind", "attempt", "task", "step", "code")  # of a line of the log; none is private
KEPT = {"event_id", "timestamp", "level", "platform", "release", "environment", "tags", "contexts", "sdk"}
CONTEXTS = {"runtime", "trace"}


def start(dsn: str | None, environment: str) -> None:
    """Report the errors of this process, and of those it forks. Called by entry points only.

    Raises ConfigError when that is wanted and the library is not there.
    """
    global sentry_sdk  # noqa: PLW0603 - a process has one, as it has one log
    if dsn is None:
        return
    try:
        sentry_sdk = import_module("sentry_sdk")
    except ImportError:
        sentence = "SENTRY_DSN is set, and the library is not installed: pip install 'webapi[sentry]'."
        raise ConfigError(sentence) from None
    sentry_sdk.init(
        dsn,
        release=VERSION,
        environment=environment,
        before_send=_scrubbed,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        server_name="",
    )


def report(logger: Any, name: str, event: EventDict) -> EventDict:
    """Among structlog's processors, before the one that takes the exception out: what is an error is reported too."""
    if sentry_sdk is None or event.get("level") not in LEVELS or not sentry_sdk.is_initialized():
        return event
    record = event.get("_record")  # a library's own; what it says may be anything
    if record is not None and record.name == APP:
        return event
    what = f"logged by {record.name}" if record is not None else str(event["event"])
    with sentry_sdk.new_scope() as scope:
        for key in IDS:
            if event.get(key) is not None:
                scope.set_tag(key, str(event[key]))
        scope.set_tag("event", what)
        error = event.get("exc_info")
        if error is True or isinstance(error, tuple):
            error = sys.exc_info()[1] if error is True else error[1]
        if isinstance(error, BaseException):
            scope.capture_exception(error)
        else:
            scope.capture_message(what, level=event["level"])
    return event


def _scrubbed(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """What may leave: known members alone, so that what a later library adds stays here."""
    sent = {key: value for key, value in event.items() if key in KEPT}
    sent["contexts"] = {key: value for key, value in event.get("contexts", {}).items() if key in CONTEXTS}
    if "message" in event:
        sent["message"] = event["message"]
    found = event.get("exception", {}).get("values", [])
    sent["exception"] = {"values": [_without_words(each) for each in found]}
    return sent


def _without_words(exception: dict[str, Any]) -> dict[str, Any]:
    frames = exception.get("stacktrace", {}).get("frames", [])
    kept = ("filename", "abs_path", "function", "module", "lineno", "in_app")
    places = [{key: frame[key] for key in kept if key in frame} for frame in frames]
    return {"type": exception.get("type"), "module": exception.get("module"), "stacktrace": {"frames": places}}
