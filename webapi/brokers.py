"""What a REDIS_URL means to redis-py and to Celery: one server, or the master that Sentinel names."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

PORTS = {"redis": 6379, "rediss": 6379, "sentinel": 26379, "sentinels": 26379}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
CLUSTER = (
    "Redis Cluster cannot carry Celery's queues, because kombu does not follow it from node to node; use a single "
    "server or Sentinel (sentinel://), and REDIS_URL_<QUEUE> for a server of its own for a queue"
)
UNREADABLE = "the URL cannot be read; / ? # and @ in a password are written %2F %3F %23 and %40"
CERTIFICATES = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
FILES = {"ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"}


@dataclass(frozen=True)
class Broker:
    """One Redis. With a `service`, `hosts` are sentinels, which know the master by that name."""

    hosts: tuple[tuple[str, int], ...]
    service: str | None
    db: int
    username: str | None
    password: str | None
    tls: Mapping[str, Any]  # redis-py's options; empty without TLS
    sentinel_username: str | None
    sentinel_password: str | None

    @property
    def reachable_by_others(self) -> bool:
        return any(host not in LOOPBACK for host, _ in self.hosts)

    @property
    def unverified(self) -> bool:
        return self.tls.get("ssl_cert_reqs") is ssl.CERT_NONE

    @property
    def celery_url(self) -> str:
        """As kombu and Celery's result backend read it. TLS is not in it: what they make of `rediss://` differs."""
        user = f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@" if self.password else ""
        scheme = "sentinel" if self.service else "redis"
        hosts = ((f"[{host}]" if ":" in host else host, port) for host, port in self.hosts)
        return ";".join(f"{scheme}://{user}{host}:{port}/{self.db}" for host, port in hosts)

    def celery_options(self, timeout: float) -> dict[str, Any]:
        """What Celery's transport options must say besides."""
        if not self.service:
            return {}
        return {"master_name": self.service, "sentinel_kwargs": self.sentinel_options(timeout)}

    def sentinel_options(self, timeout: float) -> dict[str, Any]:
        """How to connect to a sentinel, so that asking all of them takes at most `timeout` seconds."""
        each = timeout / len(self.hosts)
        login = {"username": self.sentinel_username, "password": self.sentinel_password}
        return login | _once(each) | ({"ssl": True, **self.tls} if self.tls else {})


def client(url: str, timeout: float, **options: Any) -> Redis:
    """A client that tries once and waits up to `timeout` seconds for a connection, and again for an answer.

    Behind Sentinel, a new connection costs up to `timeout` seconds more, in which it asks for the master.
    """
    broker = read(url)
    common = {"db": broker.db, "username": broker.username, "password": broker.password, **_once(timeout), **options}
    common |= {"ssl": True, **broker.tls} if broker.tls else {}
    if not broker.service:
        ((host, port),) = broker.hosts
        return Redis(host, port, **common)
    watching = broker.sentinel_options(timeout)
    sentinels = Sentinel(broker.hosts, sentinel_kwargs=watching, **common)  # type: ignore[no-untyped-call]
    master: Redis = sentinels.master_for(broker.service)  # type: ignore[no-untyped-call]
    return master


def _once(timeout: float) -> dict[str, Any]:
    """No retry: what timed out may have arrived, and a request that waits must not wait for it twice."""
    return {"socket_timeout": timeout, "socket_connect_timeout": timeout, "retry": Retry(NoBackoff(), 0)}


def read(url: str) -> Broker:
    """Raises ValueError with a sentence that repeats nothing of the URL, which may hold a password."""
    scheme, _, rest = url.partition("://")
    if "cluster" in scheme:
        raise ValueError(CLUSTER)
    if scheme not in PORTS:
        raise ValueError("use a redis://, rediss://, sentinel:// or sentinels:// URL")
    parts = urlsplit(f"//{rest}")
    if parts.fragment:
        raise ValueError(UNREADABLE)
    user, _, places = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    watched = scheme.startswith("sentinel")
    logins = {each: options.pop(each, None) or None for each in ("sentinel_username", "sentinel_password") if watched}
    hosts = _hosts(places, PORTS[scheme], several=watched)
    service, db = _path(parts.path, watched=watched)
    return Broker(
        hosts=hosts,
        service=service,
        db=db,
        username=unquote(name) or None,
        password=unquote(password) or None,
        tls=_tls(options, wanted=scheme in {"rediss", "sentinels"}),
        sentinel_username=logins.get("sentinel_username"),
        sentinel_password=logins.get("sentinel_password"),
    )


def _hosts(places: str, port: int, *, several: bool) -> tuple[tuple[str, int], ...]:
    parts = places.split(",")
    if len(parts) > 1 and not several:
        raise ValueError("name one server; several hosts are the sentinels of a sentinel:// URL")
    try:
        found = tuple((each.hostname or "127.0.0.1", each.port or port) for each in (urlsplit(f"//{p}") for p in parts))
    except ValueError:
        raise ValueError(UNREADABLE) from None
    return found


def _path(path: str, *, watched: bool) -> tuple[str | None, int]:
    """The service, if sentinels watch it, and the number of the database."""
    words = [unquote(word) for word in path.strip("/").split("/") if word]
    service = words.pop(0) if watched and words else None
    if watched and not service:
        raise ValueError("name the master as the sentinels do: sentinel://host:26379,host:26379/mymaster")
    if len(words) > 1 or not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError("the path is the number of a database, such as /0")
    return service, int(words[0]) if words else 0


def _tls(options: dict[str, str], *, wanted: bool) -> dict[str, Any]:
    """redis-py's options; certificates are verified unless the URL says otherwise."""
    known = {"ssl_cert_reqs", "ssl_check_hostname", *FILES}
    if unknown := sorted(options.keys() - known):
        raise ValueError(f"{unknown[0]} is no option that is known; there are {', '.join(sorted(known))}")
    if not wanted:
        if options:
            raise ValueError("options that begin with ssl_ need rediss:// or sentinels://")
        return {}
    verify = options.pop("ssl_cert_reqs", "required").removeprefix("CERT_").lower()
    if verify not in CERTIFICATES:
        raise ValueError("ssl_cert_reqs is none, optional or required")
    names = options.pop("ssl_check_hostname", "true").lower() not in {"false", "no", "0"}
    return {"ssl_cert_reqs": CERTIFICATES[verify], "ssl_check_hostname": names, **options}
