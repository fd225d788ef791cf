"""The states of a job and of an effect."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job is; the last five are final."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        return self in FINAL


WAITING = (State.SCHEDULED, State.QUEUED, State.RETRYING)
FINAL = (State.SUCCEEDED, State.UNCERTAIN, State.FAILED, State.CANCELLED, State.EXPIRED)


class EffectState(StrEnum):
    """What is known of one act on the outside world."""

    PENDING = "pending"
    INFLIGHT = "inflight"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"  # by a rule of ours, before anything left; a person may release it


def sql_list(states: tuple[StrEnum, ...] | type[StrEnum]) -> str:
    """`'a', 'b'` for a CHECK constraint or a partial index."""
    return ", ".join(f"'{state}'" for state in states)
