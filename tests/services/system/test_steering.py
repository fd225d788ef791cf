"""What an administrator does is noted with it, or not done."""

from __future__ import annotations

import pytest

from webapi.errors import WebapiError
from webapi.models import User
from webapi.models.transaction import writing
from webapi.queue import gates, kind_named
from webapi.services import trail
from webapi.services.system import steering


class Broken(WebapiError):
    """Something went wrong after it."""


def test_a_pause_and_its_end_are_noted(owner: User) -> None:
    kind = kind_named("data.process")
    steering.pause(owner, kind)
    assert gates.paused().keys() == {"data.process"}
    steering.resume(owner, kind)
    assert gates.paused() == {}
    assert [(line.what, line.on_what, line.who) for line in trail.latest(2)] == [
        ("kind.resumed", "data.process", owner.email),
        ("kind.paused", "data.process", owner.email),
    ]


def test_what_is_taken_back_is_not_noted(owner: User) -> None:
    with pytest.raises(Broken), writing():
        steering.pause(owner, kind_named("data.process"))
        raise Broken
    assert (gates.paused(), trail.latest(1)) == ({}, [])


def test_an_audit_is_asked_for_once(owner: User) -> None:
    assert steering.audit(owner, files=True)
    assert not steering.audit(owner, files=False)
    assert [(line.what, line.on_what) for line in trail.latest(5)] == [("audit.asked", "with files")]
