"""Attempts that run in the process of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.queue.acting import Errands
from tests.queue.rows import accept, change
from webapi.models import State
from webapi.queue import kind_named
from webapi.queue.attempt import Attempt
from webapi.queue.claim import claim
from webapi.queue.heartbeat import doing, keeping

KEYS = ["one", "two"]


@contextmanager
def holding(attempt: Attempt) -> Iterator[None]:
    """Make `attempt` the current one and keep its lease alive, as a worker does."""
    with keeping([attempt]), doing(attempt):
        yield


@contextmanager
def attempt_at(kind: str = "errand.hold") -> Iterator[Attempt]:
    """The next attempt at the job of a kind, as the current one."""
    claimed = claim(kind_named(kind))
    assert claimed is not None
    with holding(claimed):
        yield claimed


@pytest.fixture
def attempt(owner: object) -> Iterator[Attempt]:
    """The first attempt at a job with two acts."""
    accept("errand.hold", Errands(acts=KEYS))
    with attempt_at() as claimed:
        yield claimed


def give_up(attempt: Attempt) -> None:
    """The attempt is over without a word, and its job is queued for the next one."""
    change(attempt.job_id, state=State.QUEUED, lease_until=None, lease_owner=None)
