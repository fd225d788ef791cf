"""The ways in which deployments keep Redis: shared out by queue, behind TLS, behind a password with few rights."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import sentinels
from tests.conftest import Person
from tests.faults.ground import broken
from tests.kinds.faulty import Note
from tests.processes import ROOT, RealWorker, settings_of
from tests.servers import Broker, in_cluster, running
from tests.tls import Authority, front
from tests.waiting import until
from webapi.config import environment as of_a_process
from webapi.extensions import db
from webapi.models import Job, State
from webapi.queue import submit
from webapi.queue.hints import Hint, Hints
from webapi.queue.relay import Relay
from webapi.queue.transport import steady
from webapi.services.rates import Rates
from webapi.tasks.email_send import Email
from webapi.tasks.plain_process_data import process_data

# None of this has anything to do with the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MAIL = Email(to=["bob@example.com"], subject="Hi", text="x")
PASSWORD = "of-the-user"


def over(app: Flask, state: State = State.SUCCEEDED) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).where(Job.state == state)) or 0


def refused(app: Flask, queues: str) -> str:
    """What a worker says that does not start."""
    command = RealWorker(app, Path("unused"), queues=queues).command
    said = subprocess.run(
        command, cwd=ROOT, env=of_a_process(settings_of(app)), capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode != 0
    return said.stderr


def test_a_job_goes_from_its_submission_to_a_worker_by_the_server_of_its_queue(
    make_app: Callable[..., Flask], ada: Person, broker: Broker, own_broker: Broker,
    start_worker: Callable[..., RealWorker], tmp_path: Path,
) -> None:  # fmt: skip
    app = make_app(REDIS_URLS={"default": own_broker.url})
    start_worker(app, queues="email,reports")
    with app.app_context():
        submit("test.note", Note(path=str(tmp_path / "note")), owner_id=ada.id)
    assert own_broker.client().llen("{webapi}:default") == 1
    start_worker(app, queues="default")
    until(lambda: over(app) == 1, what="the job")
    with app.app_context():
        assert process_data.delay([1, 2, 3]).get(timeout=10)["rows"] == 3  # its result goes by the first server
        submit("email.send", MAIL, owner_id=ada.id, delay=0.1)  # a relay of either worker rings at the right server
    until(lambda: over(app, State.RETRYING) == 1, what="the mail to be tried, at a mail server that is not there")
    assert broken(app) == []


@pytest.mark.soak
def test_a_worker_of_queues_on_two_servers_does_not_start(make_app: Callable[..., Flask], own_broker: Broker) -> None:
    said = refused(make_app(REDIS_URLS={"email": own_broker.url}), "default,email,reports")
    assert "a worker takes from one: make worker QUEUES=default,reports; make worker QUEUES=email" in said


@pytest.mark.soak
def test_a_worker_does_not_start_on_a_node_of_a_cluster(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    with running(Broker(*in_cluster(tmp_path))) as node:
        said = refused(make_app(REDIS_URL=node.url), "default")
    assert "REDIS_URL: Redis Cluster cannot carry Celery's queues" in said
    assert "sentinel://" in said


def test_everything_goes_through_tls_with_an_authority_of_ones_own(
    make_app: Callable[..., Flask], ada: Person, own_broker: Broker,
    start_worker: Callable[..., RealWorker], tmp_path: Path,
) -> None:  # fmt: skip
    authority = Authority(tmp_path)
    with front(own_broker.port, authority) as secure:
        url = f"rediss://127.0.0.1:{secure.port}/0?ssl_ca_certs={authority.certificates}"
        app = make_app(REDIS_URL=url, RATELIMIT_ENABLED=True)
        start_worker(app)
        everything(app, ada, tmp_path)
        assert {"{webapi}:epoch", "{webapi}:rate:somebody"} <= keys(own_broker)
        assert own_broker.client().info("clients")["connected_clients"] - 1 <= secure.secured


def test_tls_goes_to_the_sentinels_and_to_the_master(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    authority, master = Authority(tmp_path), Broker(password=sentinels.PASSWORD)
    with running(master), front(master.port, authority) as secure:
        sentinel = sentinels.Sentinel(tmp_path, secure.port, 5)
        with running(sentinel), front(sentinel.port, authority) as asked:
            login = f"sentinel_password={sentinels.SENTINEL_PASSWORD}&ssl_ca_certs={authority.certificates}"
            url = f"sentinels://:{sentinels.PASSWORD}@127.0.0.1:{asked.port}/{sentinels.NAME}?{login}"
            app = make_app(REDIS_URL=url)
            celery = app.extensions["celery"]
            assert app.extensions["hints"].servers[0].sentinels() == (1, 1, 0)
            users = [app.extensions["hints"].answers, celery.backend.client.ping, consumer_of(celery).ping]
            for number, use in enumerate(users, start=1):
                assert use()
                assert (secure.secured, asked.secured) >= (number, number)


def consumer_of(celery: Any) -> Any:
    """The client by which a worker would take messages."""
    return celery.connection_for_read().default_channel.client


def everything(app: Flask, ada: Person, folder: Path) -> None:
    """Each use that a development makes of Redis, but what it does after an accident."""
    jobs_and_limits(app, ada, folder)
    with app.app_context():
        assert process_data.delay([1, 2, 3]).get(timeout=20)["rows"] == 3
    assert len(app.extensions["celery"].control.inspect(timeout=2, limit=1).ping() or {}) == 1


def jobs_and_limits(app: Flask, ada: Person, folder: Path) -> None:
    """Each use that a production makes of it which does without plain tasks."""
    hints: Hints = app.extensions["hints"]
    with app.app_context():
        submit("test.note", Note(path=str(folder / "note")), owner_id=ada.id)
        submit("test.note", Note(path=str(folder / "note")), owner_id=ada.id, delay=0.1)
    until(lambda: over(app) == 2, what="the jobs")
    counts = Rates(app, clock := Ticking())
    for _ in range(3):
        counts.hit("somebody", 5)
        clock.seconds += 1.5
    for _ in range(2):
        app.test_client().post("/login", data={"email": "ada@example.com", "password": "x"})
    assert hints.servers[0].keeping().eviction == "noeviction"
    hints.servers[0].forget_epoch()
    Relay(app).run_once()
    assert hints.depths(["default"]).keys() == {"default"}
    assert broken(app) == []


class Ticking:
    """A clock that goes on when it is told to."""

    seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def keys(broker: Broker) -> set[str]:
    """The names of all keys, without the minutes and ids at their ends."""
    found: list[bytes] = broker.client().keys("*")  # type: ignore[assignment]
    return {re.sub(r":\d+$", "", key.decode()) for key in found}


def rights(lines: int) -> list[str]:
    """The first lines of those that docs/scaling.md tells to give the user its rights by."""
    found = re.findall(r"^ *ACL SETUSER webapi (.*)$", (ROOT / "docs" / "scaling.md").read_text(), re.MULTILINE)
    return [f">{PASSWORD}" if word == ">password" else word for line in found[:lines] for word in line.split()]


@pytest.mark.parametrize(
    ("lines", "environment", "use"),
    [pytest.param(1, "production", jobs_and_limits, marks=pytest.mark.soak), (2, "development", everything)],
)
def test_a_user_with_the_rights_in_the_manual_can_do_all_and_needs_each(
    make_app: Callable[..., Flask], ada: Person, own_broker: Broker, start_worker: Callable[..., RealWorker],
    tmp_path: Path, lines: int, environment: str, use: Callable[[Flask, Person, Path], None],
) -> None:  # fmt: skip
    own_broker.ask("ACL", "SETUSER", "webapi", *rights(lines))
    own_broker.ask("CONFIG", "RESETSTAT")
    url = own_broker.url.replace("redis://", f"redis://webapi:{PASSWORD}@")
    app = make_app(REDIS_URL=url, RATELIMIT_ENABLED=True, WEBAPI_ENV=environment)
    worker = start_worker(app)
    use(app, ada, tmp_path)
    assert worker.stop() == 0
    put_back(app)
    assert own_broker.ask("ACL", "LOG") == []
    stats: dict[str, dict[str, int]] = own_broker.client().info("commandstats")
    used = {name.removeprefix("cmdstat_") for name, each in stats.items() if each["calls"] > each["rejected_calls"]}
    of_the_administrator, free = {"acl|setuser", "acl|log", "config|resetstat"}, {"hello", "auth", "quit"}
    given = {word[1:] for word in rights(lines) if word.startswith("+")}
    assert " ".join(sorted(used - of_the_administrator - free)) == " ".join(sorted(given))


def put_back(app: Flask) -> None:
    """A worker's channel that ends with a message in its hands."""
    connection = app.extensions["celery"].connection_for_read()
    steady(connection)
    app.extensions["hints"].ring([Hint("data.process", "default", UUID(int=1))])
    taken: list[object] = []
    channel = connection.channel()
    channel.basic_consume("default", no_ack=False, callback=taken.append, consumer_tag="one")
    connection.drain_events(timeout=10)
    assert taken
    channel.qos.restore_unacked_once()
    connection.release()
