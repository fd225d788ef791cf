"""What a REDIS_URL means, as hosts hand it out and as Celery is told."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection  # type: ignore[attr-defined]
from redis.exceptions import RedisError

from tests.servers import Broker as Valkey
from tests.tls import Authority, front
from webapi import brokers
from webapi.brokers import Broker, read

NONE = {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": True}
VERIFIED = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}


def broker(*hosts: tuple[str, int], **changes: Any) -> Broker:
    plain: dict[str, Any] = {"service": None, "db": 0, "username": None, "password": None, "tls": {}}
    return Broker(hosts, **{**plain, "sentinel_username": None, "sentinel_password": None, **changes})


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("redis://127.0.0.1:6379/0", broker(("127.0.0.1", 6379))),
        ("redis://redis.internal", broker(("redis.internal", 6379))),
        ("redis://[::1]:7000/3", broker(("::1", 7000), db=3)),
        (
            "redis://default:p%40ss%2Fword@red-1.example:6379",
            broker(("red-1.example", 6379), username="default", password="p@ss/word"),
        ),
        ("rediss://:secret@ec2.example:7710", broker(("ec2.example", 7710), password="secret", tls=VERIFIED)),
        ("rediss://:secret@h:7710?ssl_cert_reqs=none", broker(("h", 7710), password="secret", tls=NONE)),
        ("rediss://h/0?ssl_cert_reqs=CERT_NONE", broker(("h", 6379), tls=NONE)),
        (
            "rediss://h/0?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=%2Fetc%2Fca.pem&ssl_check_hostname=false",
            broker(("h", 6379), tls={**VERIFIED, "ssl_check_hostname": False, "ssl_ca_certs": "/etc/ca.pem"}),
        ),
        (
            "sentinel://me:secret@a:26379,b,[::1]:26381/jobs/2?sentinel_password=other",
            broker(
                ("a", 26379), ("b", 26379), ("::1", 26381),
                service="jobs", db=2, username="me", password="secret", sentinel_password="other",
            ),
        ),
        (
            "sentinels://a/jobs?ssl_ca_certs=/ca",
            broker(("a", 26379), service="jobs", tls={**VERIFIED, "ssl_ca_certs": "/ca"}),
        ),
    ],
)  # fmt: skip
def test_a_url_is_read_as_it_comes(url: str, meant: Broker) -> None:
    assert read(url) == meant


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis+cluster://:canary@h:6379", "Cluster cannot carry.*Sentinel"),
        ("rediscluster://:canary@h:6379", "Cluster cannot carry"),
        ("amqp://canary@h", "use a redis://"),
        ("redis://a,b/0?canary=1", "name one server"),
        ("redis://:can/ary@h:6379/0", "%2F"),
        ("redis://:can#ary@h:6379/0", "%23"),
        ("redis://h:99999", "cannot be read"),
        ("redis://h/canary", "number of a database"),
        ("redis://h/0?ssl_cert_reqs=none", "need rediss://"),
        ("rediss://h/0?ssl_cert_reqs=canary", "none, optional or required"),
        ("rediss://h/0?sentinel_password=canary", "sentinel_password is no option"),
        ("sentinel://a:26379,b:26379", "name the master"),
    ],
)
def test_what_is_wrong_is_said_without_what_may_be_secret(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        read(url)
    assert "canary" not in str(refused.value)


def test_celery_hears_of_every_sentinel_and_how_to_log_in_there() -> None:
    found = read("sentinel://:p%3Bw@a,b:1/jobs/2?sentinel_password=other")
    with Connection(found.celery_url, transport_options=found.celery_options(1)) as connection:  # type: ignore[no-untyped-call]
        assert connection.alt == ["sentinel://:p%3Bw@a:26379/2", "sentinel://:p%3Bw@b:1/2"]
        assert (connection.password, connection.virtual_host) == ("p;w", "2")
        assert connection.transport_options["master_name"] == "jobs"
        login = connection.transport_options["sentinel_kwargs"]
        assert (login["password"], login["socket_timeout"]) == ("other", 0.5)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_certificates_are_verified_unless_the_url_says_otherwise(shared_broker: Valkey, authority: Authority) -> None:
    with front(shared_broker.port, authority) as secure:
        url = f"rediss://127.0.0.1:{secure.port}/0"
        assert brokers.client(f"{url}?ssl_ca_certs={authority.certificates}", 2).ping()
        assert brokers.client(f"{url}?ssl_cert_reqs=none", 2).ping()
        with pytest.raises(RedisError, match="certificate verify failed"):
            brokers.client(url, 2).ping()
        assert secure.secured == 2


def test_an_authority_that_did_not_sign_is_not_trusted(
    shared_broker: Valkey, authority: Authority, tmp_path: Path
) -> None:
    with front(shared_broker.port, authority) as secure, pytest.raises(RedisError, match="certificate verify failed"):
        url = f"rediss://127.0.0.1:{secure.port}/0?ssl_ca_certs={Authority(tmp_path).certificates}"
        brokers.client(url, 2).ping()
