"""Whose turn it is: the owners of a kind's jobs take turns, however many jobs each of them has."""

from __future__ import annotations

from collections import Counter
from threading import Barrier, Thread
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from uuid_utils.compat import uuid7

from tests.queue.acting import Errands
from tests.queue.rows import accept, add_owner, change, job
from tests.servers import Broker
from tests.services.system.crowd import statements
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import control, finish, kind_named, ledger, turns
from webapi.queue.attempt import Attempt
from webapi.queue.audit import audit
from webapi.queue.claim import claim
from webapi.queue.drain import hand_back
from webapi.queue.relay import wake_all_due

pytestmark = pytest.mark.usefixtures("owner")
KIND, IDLE = "errand.hold", Errands(acts=[])
QUEUE = "{webapi}:default"
ROUNDS = 2  # of the others that may go before a job whose owner has no other


def owners(count: int) -> list[UUID]:
    ids = [uuid7() for _ in range(count)]
    for owner_id in ids:
        add_owner(owner_id, f"{owner_id}@example.com")
    return ids


def give(owner_id: UUID, **options: object) -> UUID:
    return accept(KIND, IDLE, owner_id=owner_id, **options)


def take() -> Attempt | None:
    return claim(kind_named(KIND))


def claims_until(job_id: UUID) -> int:
    """How many others are claimed before a job is."""
    count = 0
    while (attempt := take()) is not None:
        if attempt.job_id == job_id:
            return count
        count += 1
    raise AssertionError("it was never claimed")


def order() -> list[UUID]:
    """The owners of all queued jobs, as their jobs are claimed."""
    return [attempt.owner_id for attempt in iter(take, None) if attempt]


def test_a_single_job_does_not_wait_for_anothers_many() -> None:
    many, single = owners(2)
    for _ in range(30):
        give(many)
    assert claims_until(give(single)) <= ROUNDS


def hints_after(urgent: UUID, broker: Broker) -> int:
    """How many hints lie there once the urgent job was taken, although another's turn it was."""
    taken = take()
    assert taken is not None
    assert taken.job_id == urgent
    count: int = broker.client().llen(QUEUE)
    return count


def test_who_took_another_than_the_one_whose_turn_it_was_rings_for_that_one(broker: Broker) -> None:
    """Both were locked, so whoever came meanwhile found nothing to do, and nobody else was sent."""
    (owner_id,) = owners(1)
    give(owner_id, priority=5)
    assert hints_after(give(owner_id), broker) == 2, "one of those that wait will come by"
    urgent = give(owner_id)
    broker.client().flushall()
    assert hints_after(urgent, broker) == 1
    broker.client().flushall()
    assert take() is not None
    assert broker.client().llen(QUEUE) == 0, "it went itself"


def test_two_who_have_many_take_turns() -> None:
    one, two = owners(2)
    for owner_id in (one, two):
        for _ in range(6):
            give(owner_id)
    taken = order()
    assert all(abs(Counter(taken[:count])[one] - Counter(taken[:count])[two]) <= ROUNDS for count in range(1, 13))


def test_who_comes_back_with_one_job_each_time_does_not_hold_up_who_has_many() -> None:
    """Two who always have one job waiting are always the ones that wait least."""
    many, *few = owners(3)
    for _ in range(10):
        give(many)
    for owner_id in few:
        give(owner_id)
    taken: Counter[UUID] = Counter()
    for _ in range(24):
        attempt = take()
        assert attempt is not None
        taken[attempt.owner_id] += 1
        if attempt.owner_id in few:
            give(attempt.owner_id)
    assert taken[many] >= 7


def test_an_owners_jobs_go_by_priority_and_then_by_age_and_cost_others_nothing() -> None:
    one, two = owners(2)
    low = [give(one, priority=9) for _ in range(4)]
    others = [give(two) for _ in range(4)]
    urgent = [give(one) for _ in range(2)]
    taken = [attempt.job_id for attempt in iter(take, None) if attempt]
    assert [each for each in taken if each not in others] == urgent + low
    assert [each for each in taken if each in others] == others
    assert max(taken.index(each) - place for place, each in enumerate(others)) <= 4 + ROUNDS


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["give", "take", "later", "back", "end"]), st.integers(0, 3)), max_size=20
    ),
    crowd=st.integers(1, 8),
)
@pytest.mark.parametrize("ground", ["sqlite"], indirect=True)
def test_whatever_came_before_a_single_job_waits_for_no_more_than_two_of_each_other(
    ground: Flask, steps: list[tuple[str, int]], crowd: int
) -> None:
    with writing() as session:
        for table in reversed(db.metadata.sorted_tables):
            session.execute(table.delete())
    *others, single = owners(5)
    running: list[Attempt] = []
    for act, number in steps:
        if act == "give":
            for _ in range(crowd):
                give(others[number], priority=number)
        elif act == "later":
            change(give(others[number], delay=60), run_at=after(-1))
        elif act == "take" and (attempt := take()):
            running.append(attempt)
        elif act == "back" and running:
            attempt = running.pop()
            hand_back(attempt.job_id, attempt.number)
        elif act == "end" and running:
            finish.succeeded(running[-1], None)
            with writing() as session:
                control.replay(session, running.pop().job_id, "somebody")
    wake_all_due()
    handed_back = sum(act == "back" for act, _ in steps)
    assert claims_until(give(single)) <= ROUNDS * len(others) + handed_back
    assert [each.sentence for each in audit(files=False) if each.offenders] == []


def test_jobs_that_become_due_together_get_a_turn_each() -> None:
    many, single = owners(2)
    for _ in range(12):
        give(many, delay=60)
    with writing() as session:
        session.execute(update(Job).values(run_at=after(-1)))
    wake_all_due()
    assert claims_until(give(single)) <= ROUNDS


def test_jobs_that_become_due_together_stand_in_their_owners_lines() -> None:
    """By priority and then by time, behind what waits already; for all owners and kinds in three statements."""
    people, asked = owners(20), list[tuple[str, object]]()
    for person in people[:5]:
        give(person)
    later = {person: [give(person, delay=60, priority=priority) for priority in (2, 1, 1)] for person in people}
    others = [accept("errand.once", IDLE, owner_id=person, delay=60) for person in people[:5]]
    with writing() as session:
        nexts = {person: session.execute(select(turns.last_of(KIND, person))).scalar_one() for person in people}
        with statements(asked):
            turns.line_up(session, [*others, *(each for line in later.values() for each in line)])
    assert len(asked) <= 3
    for person, (low, first, second) in later.items():
        assert [job(each).turn - nexts[person] for each in (first, second, low)] == [0, 1, 2]
    assert min(job(each).turn for each in others) > max(nexts.values())  # of that kind nothing waited


def test_a_job_that_is_handed_back_is_the_next() -> None:
    one, two = owners(2)
    first = give(one)
    attempt = take()
    assert attempt is not None
    for owner_id in (one, two, one, two):
        give(owner_id)
    assert hand_back(first, attempt.number)
    assert claims_until(first) <= 1


def test_a_kind_of_which_nothing_waits_begins_later_than_it_ended() -> None:
    one, two = owners(2)
    before = [give(one) for _ in range(20)]
    last = job(before[-1]).turn
    order()
    assert job(give(two)).turn > last


def test_jobs_that_are_accepted_and_claimed_at_once_neither_deadlock_nor_share_a_turn(ground: Flask) -> None:
    people = owners(2)
    db.session.remove()
    barrier, failures, taken = Barrier(6), [], []

    def run(number: int) -> None:
        with ground.app_context():
            barrier.wait()
            try:
                for _ in range(6):
                    if number < 4:
                        give(people[number % 2], priority=number)
                    elif attempt := take():
                        taken.append(attempt)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test is to say it
                failures.append(error)
            db.session.remove()

    threads = [Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    queued = db.session.execute(select(Job.owner_id, Job.turn).where(Job.state == State.QUEUED)).all()
    assert len(taken) + len(queued) == 24
    assert len({attempt.job_id for attempt in taken}) == len(taken)
    db.session.rollback()
    assert max(Counter(queued).values(), default=1) == 1, "two jobs of one owner have the same turn"
    assert [each.sentence for each in audit(files=False) if each.offenders] == []


def test_where_a_job_stands_is_counted_by_turns() -> None:
    many, single = owners(2)
    jobs = [give(many) for _ in range(5)]
    own = give(single)
    assert turns.ahead(db.session(), job(jobs[-1])) == (4, 1)
    mine, others = turns.ahead(db.session(), job(own))
    assert (mine, others <= ROUNDS) == (0, True)
    assert claims_until(own) == others


def test_the_turns_are_read_from_indexes() -> None:
    """Whatever there is of finished jobs, and of one owner's."""
    (many,) = owners(1)
    give(many)
    postgresql = db.engine.dialect.name == "postgresql"
    with writing() as session:
        if postgresql:
            session.execute(text("SET LOCAL enable_seqscan = off"))
        for query in (
            select(Job.id).where(Job.kind == KIND, Job.state == ledger.QUEUED).order_by(Job.turn, Job.id).limit(1),
            select(turns.last_of(KIND, many)),
        ):
            compiled = query.compile(db.engine, compile_kwargs={"literal_binds": True})
            explain = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
            plan = "\n".join(str(row[-1]) for row in session.execute(text(f"{explain} {compiled}")))
            assert "ix_jobs_turn" in plan or "ix_jobs_last_turn" in plan, plan
            assert "Sort" not in plan and "TEMP B-TREE" not in plan, plan  # noqa: PT018
