"""A job's page, live: server-sent events with the parts of the page that have changed.

https://html.spec.whatwg.org/multipage/server-sent-events.html

Each stream holds a thread of the server, asleep: docs/decisions/0007-watchers-hold-threads.md.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from uuid import UUID

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from webapi.blueprints.crowd import Crowd
from webapi.blueprints.identity import me
from webapi.errors import WebapiError
from webapi.models import Job
from webapi.services import job_pages, jobs
from webapi.services.watching import Seen, Watch, Watchers

HEARTBEAT = 5.0  # seconds between two signs of life; one that cannot be sent shows that the watcher is gone
STEP = 10  # per cent after which the whole page is sent anew, and not the progress alone: receipts may have come
CHECK = 15.0  # seconds after which a watcher who was sent nothing is asked for again who they are
LONGEST = 60.0  # seconds of one stream; a server that is to stop waits for those that are open
AGAIN = "30"  # seconds after which somebody for whom there is no place may ask again
LINE_END = re.compile(r"\r\n|\r|\n")
OVER = b"event: over\ndata:\n\n"  # the page closes the stream and does not come back

bp = APIBlueprint("live", __name__, enable_openapi=False)


def init_app(app: Flask) -> None:
    """Reads LIVE_WATCHERS and WEB_THREADS."""
    app.extensions["watchers"] = Watchers(app)
    app.wsgi_app = Crowd(app.wsgi_app, app.config["WEB_THREADS"])  # type: ignore[method-assign]
    app.register_blueprint(bp)


@bp.get("/jobs/<uuid:job_id>/live")
def job(job_id: UUID) -> ResponseReturnValue:
    """The stream; 503 when all places are taken, and the page asks every second as it does without streams."""
    found = jobs.find(me(), job_id)
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    watchers: Watchers = current_app.extensions["watchers"]
    owner_id = found.owner_id  # read now: what fails once there is a place would keep it for ever
    place = watchers.enter(found.id)
    if place is None:
        return Response("All places are taken.", 503, {"Retry-After": AGAIN}, mimetype="text/plain")
    stream = Stream(current_app._get_current_object(), watchers, place, owner_id)  # type: ignore[attr-defined]
    answer = Response(stream.events(request.headers.get("Last-Event-ID", "")), mimetype="text/event-stream")
    answer.call_on_close(lambda: watchers.leave(place))
    answer.headers["X-Accel-Buffering"] = "no"  # nginx would hold the events back
    return answer


class Stream:
    """What one watcher is sent. Before each batch the same request is asked anew who makes it."""

    def __init__(self, app: Flask, watchers: Watchers, place: Watch, owner_id: UUID) -> None:
        self._app, self._watchers, self._place, self._owner_id = app, watchers, place, owner_id
        self._environ = dict(request.environ)
        self._began = self._asked_at = self._sent_at = time.monotonic()
        self._drawn_at = -STEP  # per cent

    def events(self, last_id: str) -> Iterator[bytes]:
        """`last_id` is of the event that a watcher who comes back saw last; what they know is not sent again."""
        sent = last_id
        yield b": welcome\n\n"
        while (seen := self._place.latest) is not None:
            self._place.changed.clear()
            seen = self._place.latest or seen
            changed = not sent.startswith(seen.shape)
            wait = self._sent_at + self._watchers.pace - time.monotonic()
            if changed or (seen.id != sent and wait <= 0):
                batch = self._batch(seen, whole=changed or abs(seen.percent - self._drawn_at) >= STEP)
                if batch is None:
                    break
                yield batch
                sent, self._sent_at = seen.id, time.monotonic()
            elif seen.state.final:
                break
            elif time.monotonic() - self._began > LONGEST:
                return  # the page comes back, and says what it knows
            elif seen.id != sent:
                self._place.changed.wait(wait)
            elif not self._place.changed.wait(HEARTBEAT):
                if not self._still_there():
                    break
                yield b":\n\n"
        yield OVER

    def _batch(self, seen: Seen, *, whole: bool) -> bytes | None:
        """An event; None when whoever watches may not see it any more.

        Raises SQLAlchemyError, which breaks the stream off: the page comes back by itself.
        """
        try:
            with self._watchers.drawing, self._app.request_context(self._environ):
                if whole:
                    found = jobs.find(me(), self._place.job_id)
                    self._drawn_at = seen.percent
                    return _event(seen.id, render_template("jobs/job.html", live=True, **shown(found)))
                if not self._is_mine():
                    return None
                return _event(seen.id, render_template("jobs/progress.html", percent=seen.percent, note=seen.note))
        except WebapiError:
            return None
        finally:
            self._asked_at = time.monotonic()

    def _still_there(self) -> bool:
        if time.monotonic() - self._asked_at < CHECK:
            return True
        self._asked_at = time.monotonic()
        try:
            with self._app.request_context(self._environ):
                return self._is_mine()
        except WebapiError:
            return False

    def _is_mine(self) -> bool:
        return me().id == self._owner_id


def shown(job: Job) -> dict[str, object]:
    """What the templates of a job's page are given."""
    page = job_pages.read(job)
    return {"page": page, **vars(page)}


def _event(event_id: str, html: str) -> bytes:
    data = "\n".join(f"data: {line}" for line in LINE_END.split(html))
    return f"id: {event_id}\n{data}\n\n".encode()
