"""SQL beside Redis: each difference has its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.kinds.faulty import Note
from tests.queue.acting import Anything
from tests.queue.rows import accept, change
from tests.servers import Broker
from tests.services.system import crowd
from webapi.extensions import db
from webapi.models.columns import after
from webapi.queue import gates
from webapi.services.system.drift import Queue, explained
from webapi.services.system.look import look


def queue(name: str = "default") -> Queue:
    db.session.rollback()
    (found,) = [each for each in look().queues if each.name == name]
    return found


@pytest.mark.usefixtures("owner")
def test_what_is_due_is_counted_beside_the_hints() -> None:
    crowd.worker(busy=1)
    accept("test.note", Note())
    held = accept("test.slow", Note())
    gates.pause("test.slow", "command line")
    change(held, published_at=None)
    found = queue()
    assert (found.due, found.held, found.open, found.unsent, found.hints) == (2, 1, 1, 1, 2)
    assert (found.workers, found.busy, found.slots) == (1, 1, 2)


@pytest.mark.usefixtures("owner")
def test_hints_that_were_lost_are_seen(broker: Broker) -> None:
    crowd.worker()
    job_id = accept("test.note", Note())
    broker.client().flushall()
    change(job_id, run_at=after(-40))
    how, sentence, _ = explained(queue())
    assert (how, "their hints were lost" in sentence) == ("warn", True)


@pytest.mark.usefixtures("owner")
def test_what_its_gate_or_its_absence_holds_back_has_lost_no_hint(broker: Broker) -> None:
    crowd.worker()
    for name in ("rated.slow", "test.note"):
        change(accept(name, Anything()), run_at=after(-4000))
    change(accept("test.slow", Note()), kind="gone.kind", run_at=after(-4000))
    gates.pause("test.note", "command line")
    broker.client().flushall()
    found = queue()
    assert (found.due, found.held, found.gated, found.waited) == (3, 2, 1, 0.0)
    assert explained(found)[0] == "ok"


@pytest.mark.usefixtures("owner")
def test_a_queue_that_nobody_takes_names_the_command() -> None:
    crowd.worker("email")
    accept("test.note", Note())
    assert explained(queue()) == (
        "bad",
        "Jobs are due and no living worker takes this queue.",
        "make worker QUEUES=default",
    )
    assert explained(queue("email"))[0] == "ok"


@pytest.mark.usefixtures("owner_alone")
def test_without_redis_nobody_knows_the_hints(make_app: Callable[..., Flask]) -> None:
    crowd.worker()
    accept("test.note", Note())
    db.session.rollback()
    with make_app(REDIS_URL="redis://127.0.0.1:1/0").app_context():
        found = queue()
        assert found.hints is None
        assert explained(found)[::2] == ("bad", "start it, or check REDIS_URL")


WELL = Queue("default", workers=1, slots=2, busy=0, due=0, held=0, gated=0, unsent=0, hints=0, waited=0.0)


@pytest.mark.parametrize(
    ("change", "how", "words"),
    [
        ({}, "ok", "Redis and SQL agree"),
        ({"workers": 0}, "ok", "No worker takes this queue yet"),
        ({"hints": 3}, "ok", "find no job and are dropped"),
        ({"due": 5, "held": 5}, "ok", "paused or that no program has"),
        ({"due": 5, "held": 2, "gated": 3}, "ok", "a rate or a cap"),
        ({"due": 5, "hints": 9}, "ok", "More hints than jobs"),
        ({"due": 5, "busy": 2}, "ok", "Every slot is busy"),
        ({"due": 5, "hints": 5}, "ok", "as fast as they come"),
        ({"due": 5, "waited": 31.0}, "warn", "hints were lost"),
        ({"hints": None}, "warn", "does not say"),
        ({"due": 5, "hints": None}, "bad", "Redis is away"),
        ({"due": 5, "workers": 0}, "bad", "no living worker"),
    ],
)
def test_each_standing_has_its_sentence(change: dict[str, int], how: str, words: str) -> None:
    verdict, sentence, _ = explained(replace(WELL, **change))  # type: ignore[arg-type]
    assert verdict == how
    assert words in sentence
