"""Sets: jobs of a quick kind that are claimed together, done one after the other, and finished together.

What has ended is written down when the set is done, or `LATEST` seconds after the first of it ended, whichever comes
first. A job that could not be begun in time goes back to where it stood, without being charged an attempt.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock, Timer

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from structlog import get_logger

from webapi import metrics
from webapi.failpoints import failpoint
from webapi.models import State
from webapi.models.transaction import writing
from webapi.queue.attempt import Attempt
from webapi.queue.children import stops_soon
from webapi.queue.heartbeat import keeping
from webapi.queue.job import Kind
from webapi.queue.together import Ended, succeed

LATEST = 0.05  # seconds that an attempt which has ended may wait for its neighbours
LONGEST = 3600.0  # seconds; a timer takes no infinite time
AWAY = (0.2, 1.0, 3.0)  # seconds between tries, when the database is away for a moment
Keep = Callable[[Attempt, object], None]
HandBack = Callable[[Sequence[Attempt]], None]

log = get_logger()


class Unwritten:
    """Attempts that ended well and are not written down yet. `left` are those that a set could not take."""

    def __init__(self, app: Flask) -> None:
        self.left: list[Ended] = []
        self._app = app
        self._ended: list[Ended] = []
        self._lock = Lock()
        self._timer: Timer | None = None

    def add(self, attempt: Attempt, result: object) -> None:
        self._ended.append(Ended(attempt, result))
        if self._timer is None:
            self._timer = Timer(LATEST, self._write_in_time)
            self._timer.daemon = True
            self._timer.start()

    def write(self) -> None:
        """All of them, in one transaction. Raises SQLAlchemyError, and keeps them then."""
        with self._lock:
            self._stop_timer()
            ended = list(self._ended)
            if not ended:
                return
            failpoint("A2")
            with writing() as session:
                written = succeed(session, ended)
                failpoint("C2a")
            failpoint("C2b")
            del self._ended[: len(ended)]
            self.left += [each for each in ended if each.attempt.job_id not in written]
        _count([each.attempt for each in ended if each.attempt.job_id in written])

    def close(self) -> list[Ended]:
        """Write all of them. Returns those that have to be finished alone."""
        for wait in AWAY:
            try:
                self.write()
            except OperationalError as error:
                log.warning("ended jobs not written yet", error=type(error).__name__)
                time.sleep(wait)
            except SQLAlchemyError as error:  # one of them may be at fault
                log.warning("ended jobs are written one by one", error=type(error).__name__)
                break
            else:
                break
        with self._lock:
            self._stop_timer()
            left, self.left, self._ended = [*self.left, *self._ended], [], []
        return left

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write_in_time(self) -> None:
        """In a thread of its own, while the next job runs. What fails here is tried again by `close`."""
        try:
            with self._app.app_context():
                self.write()
        except SQLAlchemyError as error:
            log.warning("ended jobs not written yet", error=type(error).__name__)


def _count(attempts: Sequence[Attempt]) -> None:
    if attempts:
        name = attempts[0].kind.name
        metrics.ATTEMPTS.add(name, State.SUCCEEDED.value, by=len(attempts))
        for attempt in attempts:
            metrics.RUN_SECONDS.observe(attempt.took, name)
        log.info("jobs finished together", kind=name, jobs=len(attempts))


class Waiting:
    """Attempts that are not begun. At `until` those that are left go back, even while one before them still runs."""

    def __init__(self, app: Flask, attempts: Sequence[Attempt], until: float, hand_back: HandBack) -> None:
        self._app, self._until, self._hand_back = app, until, hand_back
        self._attempts, self._lock, self.begun = deque(attempts), Lock(), 0
        self._timer = Timer(min(until - time.monotonic(), LONGEST), self._leave)
        self._timer.daemon = True

    def next(self) -> Attempt | None:
        """The next one, if there is time for it; for the first there always is, unless the worker is to stop."""
        if stops_soon(self._app) or (self.begun and time.monotonic() >= self._until):
            return None
        with self._lock:
            if not self._attempts:
                return None
            attempt = self._attempts.popleft()
        self.begun += 1
        if self.begun == 1:
            self._timer.start()
        return attempt

    def close(self) -> None:
        """Hand back what is left, if that is not being done already, and wait for it."""
        self._timer.cancel()
        self._leave()
        if self._timer.is_alive():
            self._timer.join(AWAY[-1])

    def _leave(self) -> None:
        with self._lock:
            left = list(self._attempts)
            self._attempts.clear()
        with self._app.app_context():
            _try("jobs not handed back", lambda: self._hand_back(left))


def do_all(
    attempts: Sequence[Attempt], until: float, do: Callable[[Attempt, Keep], None], end: Keep, hand_back: HandBack
) -> None:
    """`do` each of them that can be begun by `until`, and `hand_back` the others at that moment.

    `end` is for those that ended well and cannot be finished with their neighbours.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    began, unwritten, waiting = time.monotonic(), Unwritten(app), Waiting(app, attempts, until, hand_back)
    with keeping(attempts):
        try:
            while (attempt := waiting.next()) is not None:
                do(attempt, unwritten.add)
            pace = (time.monotonic() - began) / max(1, waiting.begun)
            app.extensions.setdefault("pace", {})[attempts[0].kind.name] = pace
        finally:
            for attempt, result in unwritten.close():
                _try("end of a job not recorded", lambda: end(attempt, result))  # noqa: B023 - called at once
            waiting.close()


def _try(failure: str, act: Callable[[], None]) -> None:
    """What cannot be written down must not keep the rest from it: a lease ends, and the relay sees to its job."""
    try:
        act()
    except SQLAlchemyError as error:
        log.warning(failure, error=type(error).__name__)


def most(kind: Kind, until: float) -> int:
    """How many jobs of a kind to claim now: its batch, or as many as its latest set would have done in that time."""
    pace: float = current_app.extensions.get("pace", {}).get(kind.name, 0.0)
    return max(1, int(min(kind.batch, (until - time.monotonic()) / pace if pace else kind.batch)))
