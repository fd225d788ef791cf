"""Each Redis is judged by itself, and what is worst about it is said with the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.sentinels import Watched
from tests.servers import Broker, in_cluster, running
from webapi.services.doctor import examine
from webapi.services.system import redis_servers
from webapi.services.system.parts import Check

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOWHERE = "redis://127.0.0.1:1/0"


def checked(app: Flask) -> list[Check]:
    with app.app_context():
        return redis_servers.checks()


def test_what_answers_says_how_fast(app: Flask) -> None:
    (check,) = checked(app)
    assert (check.part, check.verdict) == ("redis", "ok")
    assert check.seconds is not None


def test_each_server_of_a_queue_is_looked_at_by_itself(make_app: Callable[..., Flask]) -> None:
    app = make_app(REDIS_URLS={"email": NOWHERE, "reports": NOWHERE})
    found = [(each.part, each.verdict, each.remedy) for each in checked(app)]
    assert found == [("redis", "ok", ""), ("redis email reports", "bad", "start it, or check REDIS_URL_EMAIL")]
    with app.app_context():
        assert "redis email reports" in [each.part for each in examine()]


def test_a_node_of_a_cluster_names_the_way_out(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    with running(Broker(*in_cluster(tmp_path))) as node:
        (check,) = checked(make_app(REDIS_URL=node.url))
    assert (check.verdict, check.remedy) == ("bad", "change REDIS_URL")
    assert "Cluster cannot carry Celery's queues" in check.sentence
    assert "sentinel://" in check.sentence


def test_a_server_that_throws_hints_away(make_app: Callable[..., Flask]) -> None:
    with running(Broker("--maxmemory-policy", "allkeys-lru")) as forgetful:
        (check,) = checked(make_app(REDIS_URL=forgetful.url))
    assert (check.verdict, "allkeys-lru" in check.sentence) == ("warn", True)
    assert check.remedy == "redis-cli CONFIG SET maxmemory-policy noeviction"


@pytest.mark.parametrize(("append_only", "verdict"), [("no", "warn"), ("yes", "ok")])
def test_production_wants_a_server_that_remembers(
    make_app: Callable[..., Flask], tmp_path: Path, append_only: str, verdict: str
) -> None:
    with running(Broker("--appendonly", append_only, "--dir", str(tmp_path))) as server:
        (check,) = checked(make_app(REDIS_URL=server.url, WEBAPI_ENV="production"))
    assert check.verdict == verdict
    assert ("appendonly yes" in check.remedy) is (verdict == "warn")


def test_sentinels_and_replicas_that_are_missing_are_missed(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    try:
        watched.start()
        app = make_app(REDIS_URL=watched.url)
        assert [each.verdict for each in checked(app)] == ["ok"]
        watched.sentinels[1].stop()
        (check,) = checked(app)
        assert (check.verdict, check.sentence) == ("warn", "2 of 3 sentinels answer and know it.")
    finally:
        watched.stop()
