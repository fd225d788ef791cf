"""Each alarm provoked: what it watches for is made to happen to real parts, and seen in /metrics."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
import redis
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.processes import ROOT, RealWorker, settings_of
from tests.scraping import Samples, figure, samples, scrape
from tests.servers import Broker, free_port
from tests.smtp_server import Act, SmtpServer
from tests.waiting import until
from webapi.config import environment
from webapi.extensions import db
from webapi.metrics import book
from webapi.models import Effect, Job, Schedule, State, Worker
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import gates, submit
from webapi.queue.hints import Hint
from webapi.services.system.gauges import Gauges
from webapi.tasks.email_send import Email

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TOKEN = "the-token-of-the-tests"
SLOW = 90.0  # seconds, on a machine that is busy with something else
BEARER = {"Authorization": f"Bearer {TOKEN}"}

# What has to be seen for each alarm. For how long and how often is tested with promtool.
SIGNS: dict[str, Callable[[Samples], bool]] = {
    "WebapiDatabaseAway": lambda seen: seen[("webapi_database_up", ())] == 0,
    "WebapiRedisAway": lambda seen: seen[("webapi_redis_up", ())] == 0,
    "WebapiBreakerOpens": lambda seen: figure(seen, "webapi_breaker_opened_total") > 3,
    "WebapiDueJobWaits": lambda seen: figure(seen, "webapi_oldest_due_age_seconds", queue="default") > 300,
    "WebapiNoWorker": lambda seen: figure(seen, "webapi_queue_workers", queue="default") == 0,
    "WebapiHintsMissing": lambda seen: _free(seen) and figure(seen, "webapi_queue_drift", queue="default") > 0,
    "WebapiHintsRepublished": lambda seen: figure(seen, "webapi_hints_republished_total") > 0,
    "WebapiWorkerDeaf": lambda seen: (
        _free(seen)
        and figure(seen, "webapi_last_hint_age_seconds", queue="default") > 120
        and figure(seen, "webapi_oldest_due_age_seconds", queue="default") > 60
    ),
    "WebapiRelayLate": lambda seen: figure(seen, "webapi_relay_age_seconds") > 60,
    "WebapiRelayFails": lambda seen: figure(seen, "webapi_relay_passes_failed_total") > 0,
    "WebapiJobsNotQueued": lambda seen: figure(seen, "webapi_not_queued_age_seconds") > 30,
    "WebapiSchedulesLate": lambda seen: figure(seen, "webapi_schedules_late") > 0,
    "WebapiLeasesExpired": lambda seen: figure(seen, "webapi_leases_expired_total") > 0,
    "WebapiJobsGivenUp": lambda seen: figure(seen, "webapi_jobs_given_up_total") > 0,
    "WebapiAttemptsFenced": lambda seen: figure(seen, "webapi_fenced_attempts_total") > 0,
    "WebapiUnknownEffects": lambda seen: figure(seen, "webapi_unknown_effects") > 0,
    "WebapiUnknownEffectsForgotten": lambda seen: figure(seen, "webapi_unknown_effects_age_seconds") > 86400,
    "WebapiForgedMessages": lambda seen: figure(seen, "webapi_messages_forged_total") > 0,
    "WebapiUnreadableMessages": lambda seen: figure(seen, "webapi_messages_unreadable_total") > 0,
    "WebapiServerErrors": lambda seen: figure(seen, "webapi_http_requests_total", status="503") > 0,
    "WebapiAcceptSlow": lambda seen: (
        figure(seen, "webapi_accept_seconds_bucket", le="+Inf")
        > figure(seen, "webapi_accept_seconds_bucket", le="0.25")
    ),
    "WebapiRunSlow": lambda seen: (
        figure(seen, "webapi_run_seconds_bucket", kind="test.slow", le="+Inf")
        > figure(seen, "webapi_run_seconds_bucket", kind="test.slow", le="0.1")
    ),
    "WebapiManyRetries": lambda seen: figure(seen, "webapi_attempts_total", kind="test.flaky", state="retrying") > 0,
    "WebapiManyFailures": lambda seen: figure(seen, "webapi_attempts_total", kind="test.broken", state="failed") > 0,
    "WebapiMailRefused": lambda seen: figure(seen, "webapi_effects_total", effect="mail", state="refused") > 0,
    "WebapiActsUnanswered": lambda seen: figure(seen, "webapi_effects_total", effect="mail", state="unknown") > 0,
    "WebapiKindPaused": lambda seen: figure(seen, "webapi_kind_paused", kind="test.note") == 1,
}


def _free(seen: Samples) -> bool:
    slots = figure(seen, "webapi_queue_slots", queue="default")
    return slots > figure(seen, "webapi_queue_busy", queue="default")


def shows(page: Callable[[], bytes], *alarms: str) -> None:
    """Wait until the signs of all these alarms are seen."""
    for alarm in alarms:
        until(lambda alarm=alarm: SIGNS[alarm](samples(page())), seconds=SLOW, what=f"the sign of {alarm}")  # type: ignore[misc]


def is_well(page: Callable[[], bytes], *but: str) -> None:
    """None of the signs is there, so that what comes next made them."""
    seen = samples(page())
    assert [alarm for alarm, sign in SIGNS.items() if alarm not in but and sign(seen)] == []


@pytest.fixture
def app(make_app: Callable[..., Flask], mail: SmtpServer, own_broker: Broker, tmp_path: Path) -> Iterator[Flask]:
    yield make_app(
        LEASE_SECONDS=2, MAIL_PORT=mail.port, REDIS_URL=own_broker.url, METRICS_TOKEN=TOKEN, METRICS_PORT=free_port(),
        METRICS_DIR=str(tmp_path / "metrics"),
    )  # fmt: skip
    book.stop()


@pytest.fixture
def page(app: Flask) -> Callable[[], bytes]:
    """What the worker's own port answers."""

    def get() -> bytes:
        status, text = scrape(app.config["METRICS_PORT"], TOKEN)
        assert status == 200
        return text

    return get


@pytest.fixture
def ledger(app: Flask) -> Callable[[], bytes]:
    """What any process says of the ledger, without the seconds for which it would keep it."""
    return lambda: Gauges(app).page()


def accept(app: Flask, owner: Person, kind: str, payload: Note | Email, **options: Any) -> UUID:
    with app.app_context():
        return submit(kind, payload, owner_id=owner.id, **options).id


def let_pass(app: Flask, table: type, **moments: float) -> None:
    """Let so many seconds have passed since what these columns say."""
    with app.app_context(), writing() as session:
        session.execute(update(table).values({name: after(-seconds) for name, seconds in moments.items()}))


def test_work_that_goes_wrong(
    app: Flask, ada: Person, mail: SmtpServer, start_worker: Callable[..., RealWorker], page: Callable[[], bytes],
    ledger: Callable[[], bytes], tmp_path: Path,
) -> None:  # fmt: skip
    worker, port = start_worker(app), app.config["METRICS_PORT"]
    is_well(page)
    assert scrape(port)[0] == scrape(port, "another-token-of-the-tests")[0] == 401
    mail.plan("refused@private.example", Act.REFUSE_AT_RCPT)
    mail.plan("lost@private.example", Act.STORE_AND_HANG_UP)
    for kind in ("test.flaky", "test.broken", "test.slow"):
        accept(app, ada, kind, Note(path=str(tmp_path / kind)))
    for to in ("well", "refused", "lost"):
        accept(app, ada, "email.send", Email(to=[f"{to}@private.example"], subject="Hello", text="Hello."))
    shows(page, "WebapiManyRetries", "WebapiManyFailures", "WebapiMailRefused", "WebapiActsUnanswered")
    shows(ledger, "WebapiUnknownEffects")
    (tmp_path / "test.slow.go").touch()
    shows(page, "WebapiRunSlow")
    let_pass(app, Effect, marked_at=90_000)
    shows(ledger, "WebapiUnknownEffectsForgotten")
    until(lambda: figure(page(), "webapi_relay_pass_timestamp_seconds") > 0, what="a pass of the relay")
    seen = page().decode()
    assert figure(seen, "webapi_effects_total", effect="mail", state="done") == 1
    assert "private" not in seen
    worker.kill()
    with pytest.raises(urllib.error.URLError):  # WebapiNotSeen
        scrape(port, TOKEN)


@pytest.mark.soak
def test_workers_that_die_or_stand_still(
    app: Flask, ada: Person, start_worker: Callable[..., RealWorker], page: Callable[[], bytes], tmp_path: Path
) -> None:
    worker, note = start_worker(app), Note(path=str(tmp_path / "note"))
    accept(app, ada, "test.slow", note)
    until(note.lines, what="the job to begin")
    frozen = psutil.Process(int(note.lines()[0].split()[1]))
    until(lambda: _frozen(app, frozen), what="it to stand still outside a transaction")
    shows(page, "WebapiLeasesExpired")
    until(lambda: len(note.lines()) >= 2, seconds=SLOW, what="another process to take the job")
    frozen.resume()
    shows(page, "WebapiAttemptsFenced")
    Path(note.path + ".go").touch()
    accept(app, ada, "test.crash", Note(path=str(tmp_path / "crash")))
    shows(page, "WebapiJobsGivenUp")
    assert worker.main().is_running()


def _frozen(app: Flask, process: psutil.Process) -> bool:
    """Stop a process, unless it holds SQLite's one lock just then, which would keep every other from writing."""
    process.suspend()
    try:
        with app.app_context(), writing():
            return True
    except OperationalError:
        process.resume()
        return False


@pytest.mark.soak
def test_rubbish_in_redis_lost_hints_and_no_redis(
    app: Flask, ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker], page: Callable[[], bytes],
    ledger: Callable[[], bytes], tmp_path: Path,
) -> None:  # fmt: skip
    queue, hints = "{webapi}:default", app.extensions["hints"]
    with own_worker_away(app, start_worker, own_broker) as client:
        is_well(page)
        forged = json.loads(hints.message(Hint("test.note", "default", UUID(int=1))))
        forged["headers"]["webapi_mac"] = "v1.00"
        client.lpush(queue, json.dumps(forged), b"\x80 no message")
        shows(page, "WebapiForgedMessages", "WebapiUnreadableMessages")
        accept(app, ada, "test.slow", Note(path=str(tmp_path / "one")))
        accept(app, ada, "test.slow", Note(path=str(tmp_path / "two")))
        until(lambda: client.llen(queue) == 0, what="both slots to be busy")
        accept(app, ada, "test.note", Note(path=str(tmp_path / "three")))
        client.flushall()
        shows(page, "WebapiHintsRepublished")
    own_broker.stop()
    shows(ledger, "WebapiRedisAway")
    is_well(lambda: _counted(app), "WebapiRedisAway", "WebapiNoWorker")
    for number in range(5):
        accept(app, ada, "test.note", Note(path=str(tmp_path / str(number))))
        hints.at("default")._open_until = 0.0  # the second is over
    shows(lambda: _counted(app), "WebapiBreakerOpens")


@contextmanager
def own_worker_away(app: Flask, start_worker: Callable[..., RealWorker], broker: Broker) -> Iterator[redis.Redis]:
    worker = start_worker(app)
    yield broker.client()
    worker.kill()


def _counted(app: Flask) -> bytes:
    answer: TestResponse = app.test_client().get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    return bytes(answer.data)


def test_nobody_works(
    app: Flask, ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker], ledger: Callable[[], bytes],
    tmp_path: Path,
) -> None:  # fmt: skip
    is_well(ledger, "WebapiNoWorker")
    worker = start_worker(app)
    until(lambda: figure(ledger(), "webapi_queue_workers", queue="default") == 1, what="a worker")
    worker.kill()
    accept(app, ada, "test.note", Note(path=str(tmp_path / "note")))
    late = accept(app, ada, "test.note", Note(path=str(tmp_path / "late")), delay=3600)
    own_broker.client().flushall()
    let_pass(app, Worker, last_hint_at=200, seen_at=30)
    let_pass(app, Job, run_at=400)
    shows(ledger, "WebapiDueJobWaits", "WebapiHintsMissing", "WebapiWorkerDeaf", "WebapiJobsNotQueued")
    let_pass(app, Worker, seen_at=90)
    shows(ledger, "WebapiRelayLate", "WebapiNoWorker")
    with app.app_context():
        gates.pause("test.note", "command line")
        assert db.session.get_one(Job, late).state == State.SCHEDULED
    shows(ledger, "WebapiKindPaused")
    plan = {"name": "x", "kind": "data.process", "payload": {"data": 1}, "cron": "0 0 1 1 *", "timezone": "UTC"}
    assert app.test_client().post("/api/v1/schedules", json=plan, headers=ada.headers).status_code == 201
    let_pass(app, Schedule, next_at=100)
    shows(ledger, "WebapiSchedulesLate")


def test_a_web_server_without_its_database_and_beside_a_redis_that_hangs(
    app: Flask, make_app: Callable[..., Flask], ada: Person, own_broker: Broker
) -> None:
    client = app.test_client()
    own_broker.freeze()
    try:
        job = client.post("/api/v1/jobs/data.process", json={"data": 1}, headers=ada.headers)
        assert job.status_code == 202
    finally:
        own_broker.thaw()
    shows(lambda: _counted(app), "WebapiAcceptSlow")
    alone = make_app(
        DATABASE_URL="postgresql://127.0.0.1:1/gone", METRICS_TOKEN=TOKEN, METRICS_DIR=app.config["METRICS_DIR"]
    )
    assert alone.test_client().get("/readyz").status_code == 503
    shows(lambda: _counted(alone), "WebapiServerErrors", "WebapiDatabaseAway")


def test_a_relay_without_its_database(app: Flask, page: Callable[[], bytes], tmp_path: Path) -> None:
    changes = {**settings_of(app), "DATABASE_URL": "postgresql://127.0.0.1:1/gone"}
    with (tmp_path / "relay.log").open("wb") as log:
        command = [sys.executable, "-m", "flask", "--app", "tests.wsgi", "relay"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment(changes), stdout=log, stderr=log)
    try:
        until(lambda: _answers(app.config["METRICS_PORT"]), seconds=SLOW, what="the relay to listen")
        shows(page, "WebapiRelayFails", "WebapiDatabaseAway")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    try:
        return scrape(port, TOKEN)[0] == 200
    except urllib.error.URLError:
        return False
