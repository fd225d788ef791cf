"""The Celery of an app: what is put together, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from pydantic import BaseModel

from webapi.errors import ConfigError, NotFound
from webapi.queue import DECLARATION, Kind, Queue, job, task
from webapi.queue.extension import kind_named
from webapi.queue.run import SPELL


class Payload(BaseModel):
    number: int = 1


def work(payload: Payload) -> int:
    """Return the number."""
    return payload.number


KIND: Kind = getattr(job("test.kind")(work), DECLARATION)
UNBOUND = {
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "x" * 32,
    "SECRET_KEY_FALLBACKS": [],
    "STORAGE_URL": "x",
    "WEBAPI_ENV": "development",
}


def bound(*kinds: Kind, **changes: object) -> Flask:
    app = Flask("test")
    app.config.update(UNBOUND, **changes)
    Queue().init_app(app, kinds)
    return app


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="same name"):
        bound(KIND, replace(KIND, queue="other"))


def test_a_failure_handler_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"test\.kind: its failure handler 'test\.gone' is no kind"):
        bound(replace(KIND, on_failure="test.gone"))


def test_a_kind_is_found_by_its_name_and_its_queue_is_declared() -> None:
    app = bound(replace(KIND, queue="slow"))
    with app.app_context():
        assert kind_named("test.kind").queue == "slow"
    assert app.extensions["queues"] == ["default", "slow"]


def test_a_kind_that_nobody_declared_is_not_found() -> None:
    with bound(KIND).app_context(), pytest.raises(NotFound, match=r"called 'test\.gone'"):
        kind_named("test.gone")


def test_the_limits_of_a_task_are_those_of_its_kind_for_the_last_job_that_one_hint_begins() -> None:
    task_of = bound(replace(KIND, soft_time_limit=5, time_limit=7)).extensions["celery"].tasks["test.kind"]
    assert (task_of.soft_time_limit, task_of.time_limit) == (5 + SPELL, 7 + SPELL)


def test_only_json_is_spoken_and_no_other_queue_is_made() -> None:
    conf = bound(KIND).extensions["celery"].conf
    assert conf.accept_content == ["json"]
    assert conf.task_create_missing_queues is False


@pytest.mark.parametrize(
    ("environment", "said", "listens"),
    [
        ("development", None, True),
        ("production", None, False),
        ("production", True, True),
        ("development", False, False),
    ],
)
def test_remote_control_is_off_in_production_unless_asked_for(
    environment: str, said: bool | None, listens: bool
) -> None:
    conf = bound(KIND, WEBAPI_ENV=environment, REMOTE_CONTROL=said).extensions["celery"].conf
    assert conf.worker_enable_remote_control is listens


def test_a_plain_task_goes_to_its_queue_and_keeps_its_result() -> None:
    app = Flask("test")
    app.config.update(UNBOUND)
    Queue().init_app(app, [], [task("test.plain", queue="slow")(work)])
    celery = app.extensions["celery"]
    assert celery.tasks["test.plain"].ignore_result is False
    assert celery.conf.task_routes["test.plain"] == {"queue": "slow"}


def test_an_app_without_fallback_keys_is_enough() -> None:
    """None is Flask's own default."""
    assert bound(KIND, SECRET_KEY_FALLBACKS=None).extensions["kinds"] == {"test.kind": KIND}
