"""A job's life as it is drawn and told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from webapi.models import AttemptLog, JobEvent, State
from webapi.services.timelines import LEAST, WIDTH, attempts, timeline

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


def events(*changes: tuple[float, State, int]) -> list[JobEvent]:
    """Seconds after the start, the new state, the attempt."""
    found: list[JobEvent] = []
    for seq, (seconds, state, attempt) in enumerate(changes, 1):
        before = found[-1].to_state if found else None
        found.append(
            JobEvent(
                seq=seq, at=START + timedelta(seconds=seconds), from_state=before, to_state=state, attempt=attempt,
                reason=f"now {state}",
            )
        )  # fmt: skip
    return found


RETRIED = events(
    (0, State.QUEUED, 0), (2, State.RUNNING, 1), (5, State.RETRYING, 1), (15, State.QUEUED, 1), (16, State.RUNNING, 2),
    (20, State.SUCCEEDED, 2),
)  # fmt: skip


def test_it_says_how_long_a_job_waited_and_ran() -> None:
    drawn = timeline(RETRIED, START + timedelta(hours=1))
    assert (drawn.waited, drawn.ran) == (13.0, 7.0)
    assert [span.seconds for span in drawn.spans] == [2, 3, 10, 1, 4]
    assert not any(span.open for span in drawn.spans)


@pytest.mark.parametrize("changes", [RETRIED, RETRIED[:1], events(*[(0, State.QUEUED, 0)] * 200)])
def test_the_spans_stand_side_by_side_and_fill_the_drawing(changes: list[JobEvent]) -> None:
    spans = timeline(changes, START).spans
    assert spans[0].x == 0
    assert all(abs(left.x + left.width - right.x) < 0.02 for left, right in pairwise(spans))
    assert spans[-1].x + spans[-1].width == pytest.approx(WIDTH, abs=2)
    assert all(span.width >= min(LEAST, WIDTH / len(spans)) for span in spans)


def test_what_goes_on_goes_on_until_now() -> None:
    drawn = timeline(RETRIED[:2], START + timedelta(seconds=32))
    assert (drawn.waited, drawn.ran, drawn.spans[-1].open) == (2.0, 30.0, True)


def test_between_an_end_and_a_replay_nothing_waits() -> None:
    again = [*RETRIED, *events((3600, State.QUEUED, 2), (3601, State.RUNNING, 3))]
    assert timeline(again, START + timedelta(seconds=3602)).waited == 14.0


def test_each_attempt_says_how_it_ended_and_has_its_log() -> None:
    log = AttemptLog(attempt=1, lines=[{"text": "hello"}], left_out=3)
    second, first = attempts(RETRIED, [log])
    assert (first.number, first.became, first.reason) == (1, "retrying", "now retrying")
    assert (first.lines, first.left_out) == ([{"text": "hello"}], 3)
    assert (second.number, second.became, second.lines) == (2, "succeeded", [])


def test_an_attempt_that_runs_has_not_ended() -> None:
    (only,) = attempts(RETRIED[:2], [])
    assert (only.ended, only.became) == (None, None)
