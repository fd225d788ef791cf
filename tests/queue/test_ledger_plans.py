"""What the product asks of a ledger of millions is read from indexes, and little of them, on both databases.

The functions of the product run as they do at work; each statement is explained at the moment it is sent.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.conftest import BASE, DATABASES, fresh_database
from tests.kinds.faulty import Note
from tests.queue import acting
from tests.queue.acting import Errands
from tests.queue.plans import heard
from tests.queue.throng import DAYS, OWNERS, Throng, fill
from tests.servers import Broker
from webapi import create_app
from webapi.extensions import db
from webapi.models import Job, State, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, gates, housekeeping, kind_named, submit
from webapi.queue.batch import submit_batch
from webapi.queue.claim import claim
from webapi.queue.drain import _held
from webapi.queue.heartbeat import Heart
from webapi.queue.relay import Relay
from webapi.queue.run import work
from webapi.queue.watchdog import rung_in_vain
from webapi.services import job_facets, job_lists, job_pages, job_queries, overview, pruning, watching
from webapi.services.system import audits, rates
from webapi.services.system.look import look

# Rows, and of these the open ones. A million of anything would show the same plans, and the soak test does.
QUICK = {"postgresql": Throng(60_000, 6_000), "sqlite": Throng(20_000, 4_000)}
WHOLE = Throng(int(os.environ.get("LEDGER_ROWS", "10_000_000")), 30_000)
PAGES = 400  # of 8 KB, at most, for one statement; the tables of the quick ledger have 4,000, of the whole one 800,000
# Twenty rows with all of their index entries, 200 rows to delete, 500 running jobs and 500 uncertain ones to look at.
MORE = {"accept_a_batch": 2_500, "prune": 3_500, "scrape": 5_000, "look_at_the_system": 5_000}
# What grows with the open jobs and not with the others: all that run, the newest 1,000 of a state, all that are queued.
MORE |= {"beat": 2_000, "overview_of_an_owner": 2_500, "look_at_gates": 5_000}
MORE |= {"pass_of_the_relay": 5_000, "watch_for_deafness": 5_000}
PATHS: dict[str, Callable[[Flask, User], None]] = {}


def path(function: Callable[[Flask, User], None]) -> Callable[[Flask, User], None]:
    """One of the hot paths."""
    PATHS[function.__name__] = function
    return function


@path
def accept_single_jobs(app: Flask, owner: User) -> None:
    for _ in range(2):  # the second time it is known
        submit("test.note", Note(), owner_id=owner.id, once=Once("POST /jobs", "new", "f"), quota=10**7)
    submit("errand.hold", Errands(), owner_id=owner.id, delay=50)


@path
def accept_a_batch(app: Flask, owner: User) -> None:
    for _ in range(2):
        notes = {number: Note() for number in range(20)}
        submit_batch(kind_named("test.note"), notes, owner_id=owner.id, once=Once("POST /b", "new", "f"), quota=10**7)


@path
def claim_one(app: Flask, owner: User) -> None:
    for kind in ("test.note", "capped.two", "rated.fast"):
        claim(kind_named(kind))


@path
def work_with_effects_and_without(app: Flask, owner: User) -> None:
    for kind in ("errand.hold", "rated.fast"):
        work(kind_named(kind))


@path
def beat(app: Flask, owner: User) -> None:
    held = claim(kind_named("test.note"))
    assert held is not None
    Heart(app)._beat([held])
    _held(app)


@path
def pass_of_the_relay(app: Flask, owner: User) -> None:
    Relay(app).run_once()


@path
def housekeep(app: Flask, owner: User) -> None:
    housekeeping.forget_keys()
    housekeeping.forget_workers()
    housekeeping.remove_orphans(app.extensions["files"], 3, 0.0)


@path
def look_at_gates(app: Flask, owner: User) -> None:
    capped = kind_named("capped.two")
    gates.opening(capped)
    gates.ring_next(capped)


@path
def watch_for_deafness(app: Flask, owner: User) -> None:
    rung_in_vain(["default"], 30)


@path
def scrape(app: Flask, owner: User) -> None:
    assert b"webapi_jobs{" in app.extensions["gauges"].page()


@path
def look_at_the_system(app: Flask, owner: User) -> None:
    seen = look()
    rates.rates(seen.clock)
    rates.causes(seen.clock)
    audits.latest()


@path
def list_jobs_by_state(app: Flask, owner: User) -> None:
    newest = db.session.scalars(select(Job.id).where(Job.owner_id == owner.id).order_by(Job.id.desc()).limit(1)).one()
    for query in ("", "state:failed", "state:succeeded", "state:uncertain,failed", "state:running", "error:refused"):
        for cursor in (None, job_lists._cursor(newest)):
            job_lists.page(owner, job_lists.Wanted(terms=job_queries.read(query)), cursor=cursor)


@path
def overview_of_an_owner(app: Flask, owner: User) -> None:
    job_lists.counts(owner)
    job_facets.recent(owner)
    job_facets.causes(owner)
    overview.hours(owner, datetime.now(UTC))


@path
def page_of_one_job(app: Flask, owner: User) -> None:
    newest = select(Job).where(Job.owner_id == owner.id).order_by(Job.id.desc()).limit(20)
    for job in db.session.scalars(newest).all():
        job_pages.read(job)
        job_pages.effect_counts([job.id])
        watching.look([job.id])


@path
def prune(app: Flask, owner: User) -> None:
    """The first few hundred jobs."""
    db.session.rollback()
    rows = app.config["LEDGER_ROWS"]
    app.config |= {f"KEEP_{what}_DAYS": DAYS * (1 - 500 / rows) for what in ("JOBS", "FILES", "LOGS", "TRAIL")}
    assert pruning.prune()["jobs"] > 100


@pytest.fixture(scope="module", params=["quick", pytest.param("whole", marks=pytest.mark.soak)])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=DATABASES)
def crowded(request: pytest.FixtureRequest, size: str, shared_broker: Broker) -> Iterator[Flask]:
    """An app on a full ledger, a few of whose jobs want something of each step of the relay."""
    throng = QUICK[request.param] if size == "quick" else WHOLE
    with tempfile.TemporaryDirectory() as folder, fresh_database(request, Path(folder)) as url:
        settings = {"DATABASE_URL": url, "REDIS_URL": shared_broker.url, "STORAGE_URL": f"{folder}/files"}
        app: Flask = create_app({**BASE, **settings, "MAIL_PORT": 1})
        app.extensions["kinds"] |= acting.KINDS
        with app.app_context():
            Relay(app)._notice_empty_redis()  # it has no memory of us yet, and would want each job to be rung for
            fill(throng)
            app.config["LEDGER_ROWS"] = throng.rows
            change_some(State.RUNNING, lease_until=after(-60))
            change_some(State.SCHEDULED, run_at=after(-5))
            change_some(State.RETRYING, run_at=after(-5), deadline_at=after(-1))
            change_some(State.QUEUED, published_at=None)
            yield app
            db.session.remove()
            db.engine.dispose()


def change_some(state: State, **values: Any) -> None:
    with writing() as session:
        some = session.scalars(select(Job.id).where(Job.state == state).limit(5)).all()
        changed = update(Job).where(Job.id.in_(some)).values(**values)
        session.execute(changed.execution_options(synchronize_session=False))


@pytest.mark.parametrize("name", PATHS)
def test_no_statement_reads_a_table_from_end_to_end(crowded: Flask, name: str) -> None:
    owner = db.session.get_one(User, OWNERS[0])
    with heard() as found:
        PATHS[name](crowded, owner)
    db.session.rollback()
    plans = sorted(found.plans.values(), key=lambda plan: -plan.pages)
    assert plans
    for plan in plans:
        print(f"{plan.pages:6} pages {plan.milliseconds:8.1f} ms  {plan}"[:2000])
    assert not [str(plan) for plan in plans if plan.scans]
    assert not [str(plan) for plan in plans if plan.pages > MORE.get(name, PAGES)]
