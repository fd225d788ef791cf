"""A heartbeat keeps what is held, and tells an attempt that it is held no more.

The tests look at one beat, in which attempts of every sort were held together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
from flask import Flask

from tests.queue.acting import Errands
from tests.queue.attempts import holding
from tests.queue.rows import accept, add_owner, change, job
from tests.waiting import until
from webapi.models import State
from webapi.models.columns import after, now
from webapi.queue import kind_named
from webapi.queue.attempt import Attempt, Cancelled, Replaced
from webapi.queue.claim import claim

LEASE = 2  # seconds, the least; a beat comes after a third of it


class Beat:
    """What the attempts and their leases were before a beat, and are after it."""

    names = ("kept", "beside", "replaced", "over", "to stop", "released")

    def __init__(self) -> None:
        self.attempts = {name: _attempt() for name in self.names}
        self._change("replaced", attempt=2, lease_until=after(60))
        self._change("over", state=State.CANCELLED, finished_at=now(), lease_until=None)
        self._change("to stop", cancel_requested_at=now())
        self.renewed = {name: each.renewed for name, each in self.attempts.items()}
        self.before = self._leases()
        with ExitStack() as held:
            with holding(self.attempts["released"]):
                pass
            for name in self.names[:-1]:
                held.enter_context(holding(self.attempts[name]))
            until(lambda: self.was_renewed("kept"), seconds=5, what="a heartbeat")
            until(self.attempts["to stop"].cancelled.is_set, seconds=1, what="the last to be told")
            self.after = self._leases()

    def was_renewed(self, name: str) -> bool:
        return self.attempts[name].renewed > self.renewed[name]

    def _change(self, name: str, **values: object) -> None:
        change(self.attempts[name].job_id, **values)

    def _leases(self) -> dict[str, datetime | None]:
        return {name: job(each.job_id).lease_until for name, each in self.attempts.items()}


def _attempt() -> Attempt:
    accept("errand.hold", Errands())
    claimed = claim(kind_named("errand.hold"))
    assert claimed is not None
    return claimed


@pytest.fixture(scope="module")
def beat(ground: Flask) -> Iterator[Beat]:
    ground.config["LEASE_SECONDS"] = LEASE
    with ground.app_context():
        add_owner()
        yield Beat()


def lengthened(beat: Beat, name: str) -> bool:
    before, later = beat.before[name], beat.after[name]
    assert before is not None
    assert later is not None
    return later > before


@pytest.mark.parametrize("name", ["kept", "beside", "to stop"])
def test_a_lease_that_is_held_is_extended_and_its_attempt_knows(beat: Beat, name: str) -> None:
    assert lengthened(beat, name)
    assert beat.was_renewed(name)
    assert not beat.attempts[name].lost.is_set()


@pytest.mark.parametrize("name", ["replaced", "over"])
def test_an_attempt_that_has_lost_its_job_is_told(beat: Beat, name: str) -> None:
    assert beat.attempts[name].lost.is_set()
    with pytest.raises(Replaced):
        beat.attempts[name].still_mine()


def test_the_lease_of_the_one_who_replaced_it_is_not_touched(beat: Beat) -> None:
    assert not lengthened(beat, "replaced")


def test_an_attempt_that_is_to_stop_is_told(beat: Beat) -> None:
    with pytest.raises(Cancelled):
        beat.attempts["to stop"].still_mine()
    assert not beat.attempts["kept"].cancelled.is_set()


def test_what_was_released_is_neither_renewed_nor_told(beat: Beat) -> None:
    assert not lengthened(beat, "released")
    assert (beat.was_renewed("released"), beat.attempts["released"].lost.is_set()) == (False, False)
