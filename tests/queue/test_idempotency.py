"""A request that is sent twice is one job, whoever of both comes first."""

from __future__ import annotations

from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.queue.acting import Errands
from tests.queue.rows import OWNER, accept, add_owner
from webapi.extensions import db
from webapi.models import IdempotencyKey, Job
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, fingerprint, submit
from webapi.queue.idempotency import KeyReused

pytestmark = pytest.mark.usefixtures("owner")


def once(key: str = "the-key", *asked: object) -> Once:
    return Once("POST /jobs", key, fingerprint(*asked))


def again(**options: object) -> UUID:
    return accept("errand.hold", Errands(), **{"once": once(), **options})


def jobs() -> int | None:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Job))


def test_the_same_key_and_request_is_the_same_job() -> None:
    assert again() == again()
    assert jobs() == 1


def test_the_job_that_is_answered_again_is_the_one_of_the_ledger() -> None:
    wanted = uuid4()
    first = again()
    assert submit("errand.hold", Errands(), owner_id=OWNER, job_id=wanted, once=once()).id == first != wanted


def test_the_same_key_with_another_request_is_refused_and_nothing_is_accepted() -> None:
    again()
    with pytest.raises(KeyReused):
        again(once=once("the-key", "something else"))
    assert jobs() == 1


def test_a_key_belongs_to_its_owner_and_its_route() -> None:
    other = add_owner(uuid4(), "eve@example.com").id
    elsewhere = Once("form", "the-key", fingerprint())
    assert len({again(), again(owner_id=other), again(once=elsewhere), again(once=once("another"))}) == 4


def test_a_key_that_was_kept_long_enough_is_free_again() -> None:
    first = again()
    with writing() as session:
        session.execute(update(IdempotencyKey).values(expires_at=after(-1)))
    assert again() != first


def test_a_key_whose_request_was_rolled_back_is_free() -> None:
    with pytest.raises(ZeroDivisionError), writing():
        _ = again(), 1 / 0
    again()
    assert jobs() == 1


def test_of_eight_that_come_at_once_one_is_accepted_and_all_are_told_its_id(ground: Flask) -> None:
    db.session.remove()
    barrier, told = Barrier(8), []

    def run() -> None:
        with ground.app_context():
            barrier.wait()
            told.append(again())
            db.session.remove()

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(told), len(set(told)), jobs()) == (8, 1, 1)


def test_a_fingerprint_knows_the_order_of_things_and_not_of_names() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert len({fingerprint("a", "b"), fingerprint("b", "a"), fingerprint(["a", "b"]), fingerprint("ab")}) == 4
    assert fingerprint(1) != fingerprint("1")
