"""A form that is sent twice sets one schedule."""

from __future__ import annotations

from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from flask import Flask

from tests.conftest import Person
from webapi.extensions import db
from webapi.queue import kind_named
from webapi.queue.idempotency import KeyReused
from webapi.services import double_clicks, schedules
from webapi.services.plans import Plan
from webapi.tasks.report_build import ReportRequest

PLAN = Plan(name="Weekly", cron="0 9 * * 1", timezone="Europe/Vienna")


def sent(person: Person, nonce: str | None, title: str = "T", plan: Plan = PLAN) -> UUID:
    row = double_clicks.schedule(person.row, nonce, kind_named("report.build"), ReportRequest(title=title), plan)
    found: UUID = row.id
    return found


def test_two_clicks_at_the_same_moment_set_one_schedule(app: Flask, ada: Person) -> None:
    nonce, barrier, found = uuid4().hex, Barrier(4), []

    def click() -> None:
        with app.app_context():
            barrier.wait()
            found.append(sent(ada, nonce))
            db.session.remove()

    threads = [Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert [row.id for row in schedules.of(ada.row)] == found[:1]
    assert len(found) == 4


@pytest.mark.usefixtures("context")
def test_a_form_that_was_changed_is_refused_and_anothers_is_another(ada: Person, eve: Person) -> None:
    nonce = uuid4().hex
    first = sent(ada, nonce)
    with pytest.raises(KeyReused):
        sent(ada, nonce, title="Another")
    with pytest.raises(KeyReused):
        sent(ada, nonce, plan=PLAN.model_copy(update={"cron": "0 8 * * 1"}))
    assert len({first, sent(eve, nonce), sent(ada, uuid4().hex), sent(ada, None)}) == 4
