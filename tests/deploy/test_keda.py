"""KEDA's query counts what a queue could do, and reads little for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import insert, text
from uuid_utils.compat import uuid7

from tests.deploy.manifests import KUBERNETES, Rendered, named, needs_kubectl, of_kind, ours, written
from tests.queue.rows import OWNER, add_owner
from webapi.extensions import db
from webapi.models import Job, State
from webapi.models.columns import after, now
from webapi.models.transaction import writing
from webapi.queue import gates
from webapi.queue.claim import claim
from webapi.queue.relay import wake_all_due

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
QUEUES = ("email", "reports", "default")
MOST = 1000  # jobs of a kind that the query reads
PAST, FUTURE = after(-60), after(3600)


def query(queue: str) -> str:
    (scaler,) = written("components/keda/scaler/scaler.yaml")
    asked: str = scaler["spec"]["triggers"][0]["metadata"]["query"]
    return asked.replace("'QUEUE'", f"'{queue}'")


def accept(app: Flask, kind: str, state: State, **values: Any) -> None:
    """Write a job as the ledger may hold it."""
    fixed = {"id": uuid7(), "owner_id": OWNER, "kind": kind, "queue": app.extensions["kinds"][kind].queue}
    fixed |= {"payload": {}, "state": state, "attempt_budget": 3, "run_at": now(), "tags": [], "created_at": now()}
    if state is State.RUNNING:
        fixed |= {"lease_owner": "somebody:1", "lease_until": FUTURE}
    if state is State.SUCCEEDED:
        fixed |= {"finished_at": now()}
    with writing() as session:
        session.execute(insert(Job).values(**fixed | values))


@pytest.fixture
def ledger(app: Flask) -> Iterator[Flask]:
    """Jobs of every queue that wait, run, are over, and that nobody may begin."""
    with app.app_context():
        add_owner()
        for kind, count in (("email.send", 3), ("email.part", 2), ("report.build", 4), ("http.call", 1)):
            for _ in range(count):
                accept(app, kind, State.QUEUED)
        for kind in ("email.send", "image.resize", "data.process"):
            accept(app, kind, State.RUNNING)
            accept(app, kind, State.SUCCEEDED)
            accept(app, kind, State.SCHEDULED, run_at=PAST)
            accept(app, kind, State.SCHEDULED, run_at=FUTURE)
            accept(app, kind, State.RETRYING, run_at=PAST)
            accept(app, kind, State.RETRYING, run_at=FUTURE)
            accept(app, kind, State.QUEUED, deadline_at=FUTURE)
            accept(app, kind, State.QUEUED, deadline_at=PAST)
            accept(app, kind, State.SCHEDULED, run_at=PAST, deadline_at=PAST)
            accept(app, kind, State.QUEUED, cancel_requested_at=now())
        for state in (State.QUEUED, State.SCHEDULED, State.RUNNING):
            accept(app, "email.digest", state, run_at=PAST)
        gates.pause("email.digest", "the test")
        yield app


@on_postgresql
@pytest.mark.parametrize("queue", QUEUES)
def test_it_counts_what_can_be_claimed_and_what_runs(ledger: Flask, queue: str) -> None:
    counted = db.session.scalar(text(query(queue)))
    running = db.session.query(Job).filter_by(queue=queue, state=State.RUNNING).count()
    wake_all_due()
    kinds = [kind for kind in ledger.extensions["kinds"].values() if kind.queue == queue]
    claimed = sum(1 for kind in kinds for _ in iter(lambda: claim(kind), None))  # noqa: B023 - called within the loop
    assert claimed > 0
    assert running > 0
    assert counted == claimed + running


@on_postgresql
def test_a_queue_with_nothing_to_do_wants_no_slot(app: Flask, context: None) -> None:
    assert db.session.scalar(text(query("email"))) == 0


@pytest.fixture
def crowded(app: Flask, context: None) -> None:
    """20,000 jobs that are over, and a queue with many more than the query reads."""
    add_owner()
    with db.engine.begin() as connection:
        connection.execute(
            text("""
            INSERT INTO jobs (id, owner_id, kind, queue, payload, tags, state, attempt_budget, run_at, created_at,
                finished_at, priority, turn, epoch, attempt, crash_count, publish_count, progress)
            SELECT gen_random_uuid(), :owner, kind, queue, '{}', '[]', state, 3, now(), now(),
                CASE state WHEN 'succeeded' THEN now() END, 0, number, 0, 0, 0, 0, 0
            FROM (VALUES ('report.build', 'reports', 'queued', 20000), ('email.send', 'email', 'queued', 7),
                         ('data.process', 'default', 'succeeded', 20000)) AS each(kind, queue, state, jobs),
                 LATERAL generate_series(1, jobs) AS number
            """),
            {"owner": OWNER},
        )
        connection.execute(text("ANALYZE jobs"))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


@on_postgresql
def test_it_reads_indexes_of_open_jobs_and_a_bounded_number_of_them(crowded: None) -> None:
    for queue, expected in (("email", 7), ("reports", MOST), ("default", 0)):
        assert db.session.scalar(text(query(queue))) == expected
        (found,) = db.session.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query(queue)}")) or [{}]
        scans = [node for node in nodes(found["Plan"]) if node.get("Relation Name") == "jobs"]
        assert scans
        assert not [node for node in scans if node["Node Type"] == "Seq Scan"]
        read = sum(node["Actual Rows"] * node["Actual Loops"] for node in scans)
        assert read < 2 * MOST


@on_postgresql
def test_the_role_sees_which_jobs_wait_and_nothing_that_is_in_them(ledger: Flask, database_url: str) -> None:
    expected = db.session.scalar(text(query("email")))
    db.session.rollback()
    try:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute((KUBERNETES / "components/keda/role.sql").read_bytes())
        with psycopg.connect(database_url.replace("webapi@", "webapi_scaler@"), autocommit=True) as scaler:
            assert scaler.execute(query("email").encode()).fetchone() == (expected,)
            for forbidden in (b"SELECT payload FROM jobs", b"SELECT email FROM users", b"DELETE FROM jobs"):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                    scaler.execute(forbidden)
    finally:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("DROP OWNED BY webapi_scaler")
            owner.execute("DROP ROLE webapi_scaler")


@needs_kubectl
@pytest.mark.parametrize("combination", ["trial+keda", "production+keda"])
def test_each_queue_is_scaled_by_its_own_jobs_and_slots(rendered: Rendered, combination: str) -> None:
    for queue in QUEUES:
        name = f"worker-{queue}"
        spec = named(rendered[combination], "ScaledObject", name)["spec"]
        (container,) = [each for owner, _, each in ours(rendered[combination]) if owner == name]
        slots = container["command"][container["command"].index("-c") + 1]
        (trigger,) = spec["triggers"]
        assert spec["scaleTargetRef"] == {"name": name}
        assert trigger["metadata"] == {"query": query(queue), "targetQueryValue": slots}
        assert spec["minReplicaCount"] >= 1
        assert spec["maxReplicaCount"] * int(slots) <= MOST
        assert "replicas" not in named(rendered[combination], "Deployment", name)["spec"]


@needs_kubectl
def test_the_secret_of_the_scaler_is_what_the_page_makes(rendered: Rendered) -> None:
    (authentication,) = of_kind(rendered["production+keda"], "TriggerAuthentication")
    keys = {each["key"] for each in authentication["spec"]["secretTargetRef"]}
    page = (KUBERNETES / "README.md").read_text()
    assert all(f"--from-literal={key}=" in page for key in keys)
    assert json.dumps(authentication).count('"webapi-scaler"') == len(keys)
