"""A job's life as it is drawn: how long it waited and ran, attempt by attempt, and how each ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from webapi.models import AttemptLog, JobEvent, State

WIDTH = 1000.0  # units of the drawing
LEAST = 12.0  # units of the shortest span, so that one can see and touch it


@dataclass
class Span:
    """From one change of the state to the next. A span without `ended` goes on."""

    state: State
    began: datetime
    ended: datetime
    attempt: int
    open: bool = False
    x: float = 0.0
    width: float = 0.0

    @property
    def seconds(self) -> float:
        return max(0.0, (self.ended - self.began).total_seconds())

    @property
    def runs(self) -> bool:
        return self.state is State.RUNNING


@dataclass
class Try:
    """One attempt: `became` and `reason` say how it ended; None while it runs."""

    number: int
    began: datetime
    ended: datetime | None = None
    became: State | None = None
    reason: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class Timeline:
    """Seconds that a job waited and ran, and the spans of both in their order."""

    spans: list[Span]
    waited: float
    ran: float


def timeline(events: Sequence[JobEvent], now: datetime) -> Timeline:
    """What is drawn of the events, the last of which goes on until `now` unless it is final."""
    spans = []
    for event, following in zip(events, [*events[1:], None], strict=True):
        state = State(event.to_state)
        if state.final:
            continue  # between an end and a replay nothing waits
        ended = following.at if following is not None else max(now, event.at)
        spans.append(Span(state, event.at, ended, event.attempt, open=following is None))
    _lay_out(spans)
    return Timeline(
        spans,
        waited=sum(span.seconds for span in spans if not span.runs),
        ran=sum(span.seconds for span in spans if span.runs),
    )


def attempts(events: Sequence[JobEvent], logs: Sequence[AttemptLog]) -> list[Try]:
    """Each attempt with what it logged, the newest first."""
    found: dict[int, Try] = {}
    for event in events:
        state = State(event.to_state)
        if state is State.RUNNING:
            found[event.attempt] = Try(event.attempt, event.at)
        elif event.from_state == State.RUNNING and event.attempt in found:
            tried = found[event.attempt]
            tried.ended, tried.became, tried.reason = event.at, state, event.reason
    for log in logs:
        if log.attempt in found:
            found[log.attempt].lines, found[log.attempt].left_out = log.lines, log.left_out
    return sorted(found.values(), key=lambda each: -each.number)


def _lay_out(spans: list[Span]) -> None:
    """Side by side, as wide as they were long; what is too short to be seen takes room from the others."""
    total = sum(span.seconds for span in spans)
    room = max(0.0, WIDTH - LEAST * len(spans))
    x = 0.0
    for span in spans:
        share = span.seconds / total if total else 1 / len(spans)
        span.x, span.width = round(x, 2), round((LEAST if room else WIDTH / len(spans)) + room * share, 2)
        x += span.width
