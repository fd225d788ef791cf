"""Queues may have Redis servers of their own. What is true of one says nothing about the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import Person
from tests.kinds.faulty import Note
from tests.servers import Broker, in_cluster, running
from tests.services.system import crowd
from tests.waiting import until
from webapi.errors import ConfigError
from webapi.extensions import db
from webapi.models import Job
from webapi.queue import submit
from webapi.queue.explain import why
from webapi.queue.hints import Hint, Hints
from webapi.queue.relay import Relay
from webapi.queue.servers import Keeping, Server
from webapi.tasks.email_send import Email
from webapi.tasks.plain_process_data import process_data

QUEUES = ["default", "email", "reports"]
MAIL = Email(to=["bob@example.com"], subject="Hi", text="x")


@pytest.fixture
def mail_broker() -> Iterator[Broker]:
    """The server of the queue `email`, which a test may stop."""
    with running(Broker()) as broker:
        yield broker


@pytest.fixture
def app(make_app: Callable[..., Flask], mail_broker: Broker) -> Flask:
    return make_app(REDIS_URLS={"email": mail_broker.url})


def hint(queue: str) -> Hint:
    return Hint("test.note", queue, uuid4())


def lengths(broker: Broker) -> dict[str, int]:
    found = {queue: int(broker.client().llen("{webapi}:" + queue)) for queue in QUEUES}
    return {queue: length for queue, length in found.items() if length}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_hint_goes_to_the_server_of_its_queue(app: Flask, broker: Broker, mail_broker: Broker) -> None:
    assert app.extensions["hints"].ring([hint("email"), hint("reports"), hint("email"), hint("default")]) == []
    assert (lengths(broker), lengths(mail_broker)) == ({"default": 1, "reports": 1}, {"email": 2})
    assert app.extensions["hints"].depths(QUEUES) == {"default": 1, "email": 2, "reports": 1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_is_away_holds_up_its_own_queue_alone(app: Flask, mail_broker: Broker) -> None:
    hints: Hints = app.extensions["hints"]
    mail_broker.stop()
    mail, other = hint("email"), hint("default")
    assert hints.ring([mail, other]) == [mail]
    assert [server.setting for server in hints.answering()] == ["REDIS_URL"]
    assert (hints.answers(), hints.depths(QUEUES)) == (False, {"default": 1, "reports": 0})
    assert (hints.waiting(["default"]), hints.waiting(["email"])) == (1, None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_lost_its_memory_is_known_by_itself(app: Flask, mail_broker: Broker) -> None:
    hints: Hints = app.extensions["hints"]
    assert hints.emptied() == hints.servers
    mail_broker.client().flushall()
    assert hints.emptied() == hints.servers[1:]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_plain_task_goes_to_the_server_of_its_queue(app: Flask, broker: Broker, mail_broker: Broker) -> None:
    with app.app_context():
        process_data.apply_async(args=[[1]], queue="email")
        process_data.delay([1])
    assert (lengths(broker), lengths(mail_broker)) == ({"default": 1}, {"email": 1})


def states(app: Flask) -> dict[str, tuple[bool, int]]:
    """Of each job, by its queue: whether its hint counts as sent, and how often it was sent again."""
    with app.app_context():
        return {job.queue: (job.published_at is not None, job.publish_count) for job in db.session.scalars(select(Job))}


def passed(relay: Relay) -> bool:
    relay.run_once()
    return True


def test_the_relay_publishes_again_where_it_can_and_says_so_where_it_cannot(
    app: Flask, ada: Person, broker: Broker, mail_broker: Broker
) -> None:
    relay = Relay(app)
    relay.run_once()  # both servers know us now
    mail_broker.stop()
    with app.app_context():
        submit("email.send", MAIL, owner_id=ada.id)
        submit("test.note", Note(), owner_id=ada.id)
    broker.client().flushall()
    relay.run_once()
    assert states(app) == {"email": (False, 0), "default": (True, 1)}
    assert lengths(broker) == {"default": 1}
    mail_broker.start()
    until(lambda: passed(relay) and states(app)["email"][0], what="the server to be tried again")
    assert states(app)["default"] == (True, 1)
    assert (lengths(broker), lengths(mail_broker)) == ({"default": 1}, {"email": 1})


def test_why_a_job_waits_is_asked_at_its_own_server(app: Flask, ada: Person, mail_broker: Broker) -> None:
    mail_broker.stop()
    with app.app_context():
        crowd.worker()
        assert why(submit("email.send", MAIL, owner_id=ada.id)).code == "redis_away"
        assert why(submit("test.note", Note(), owner_id=ada.id)).code == "hint_sent"


def test_a_queue_that_nobody_has_is_a_typing_error(make_app: Callable[..., Flask]) -> None:
    with pytest.raises(ConfigError, match="REDIS_URL_MAIL: no kind has such a queue; the queues are default, email"):
        make_app(REDIS_URLS={"mail": "redis://127.0.0.1:1/0"})


def test_queues_that_share_a_server_share_its_fate(make_app: Callable[..., Flask], broker: Broker) -> None:
    other = "redis://127.0.0.1:1/0"
    app = make_app(REDIS_URLS={"email": other, "reports": other, "default": broker.url})
    first, second = app.extensions["hints"].servers
    assert (first.setting, first.queues) == ("REDIS_URL", frozenset())
    assert (second.setting, second.queues) == ("REDIS_URL_EMAIL", {"email", "reports"})


def test_a_node_of_a_cluster_is_known(broker: Broker, tmp_path: Path) -> None:
    with running(Broker(*in_cluster(tmp_path))) as node:
        assert Server("REDIS_URL", node.url).in_cluster()
    assert not Server("REDIS_URL", node.url).in_cluster()
    assert not Server("REDIS_URL", broker.url).in_cluster()


def test_what_a_server_keeps_is_asked_and_may_be_refused(broker: Broker) -> None:
    broker.ask("ACL", "SETUSER", "mute", "on", ">x", "+ping")
    assert Server("REDIS_URL", broker.url).keeping() == Keeping("noeviction", append_only=False)
    mute = broker.url.replace("redis://", "redis://mute:x@")
    assert Server("REDIS_URL", mute).keeping() == Keeping(None, None)
    broker.ask("ACL", "DELUSER", "mute")
