"""The peers' programs, each from benchmarks/peers with an environment of their own, beside a system of ours."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from flask import Flask
from redis import Redis
from sqlalchemy import make_url

from webapi.config import environment
from webapi.local import ports
from webapi.local.processes import Supervisor
from webapi.local.programs import Program

PROCESSES, THREADS = 2, 32  # of each web server, ours too
SLOW = 60.0  # seconds for one of their programs to come up
SMALL = '{"a": 23, "b": 42}'
CELERY_QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING")


@dataclass(frozen=True)
class Peer:
    """One program of theirs: what runs its tasks and what has to be run before, both as modules' command lines.

    `queue` is the Redis list in which its messages wait, where that is watched.
    """

    name: str
    module: str
    worker: Sequence[str] = ()
    before: Sequence[str] = ()
    uvicorn: bool = False
    queue: str = ""

    @property
    def path(self) -> str:
        return f"benchmarks.peers.{self.module}"


def _celery(module: str) -> tuple[str, ...]:
    return ("celery", "-A", f"benchmarks.peers.{module}:celery", "worker", "-c", str(PROCESSES), *CELERY_QUIET)


BARE = Peer("Flask alone, does nothing", "flask_bare")
CELERY = Peer("Flask + Celery's delay()", "flask_celery", _celery("flask_celery"))
FASTAPI = Peer("FastAPI + Celery's delay(), uvicorn", "fastapi_celery", _celery("fastapi_celery"), uvicorn=True)
RQ = Peer("Flask + RQ", "flask_rq", ("rq.cli", "worker", "-c", "benchmarks.peers.flask_rq", "-q"))
DRAMATIQ = Peer(
    "Flask + Dramatiq", "flask_dramatiq", ("dramatiq", "benchmarks.peers.flask_dramatiq", "-p", str(PROCESSES))
)
HUEY = Peer(
    "Flask + Huey",
    "flask_huey",
    ("huey.bin.huey_consumer", "benchmarks.peers.flask_huey.huey", "-k", "process", "-w", str(PROCESSES), "-q"),
)
PROCRASTINATE = Peer(
    "Flask + Procrastinate, a row",
    "flask_procrastinate",
    ("procrastinate", "--app", "benchmarks.peers.flask_procrastinate.queue", "worker", "-c", str(PROCESSES)),
    ("procrastinate", "--app", "benchmarks.peers.flask_procrastinate.queue", "schema", "--apply"),
)
ROW = Peer(
    "Flask + delay() + a row by the ORM",
    "flask_celery_row",
    _celery("flask_celery_row"),
    ("benchmarks.peers.flask_celery_row",),
)
NOOP = Peer("Celery, keeps nothing", "celery_noop", _celery("celery_noop"), queue="celery")
HUEY_ROWS = Peer(
    "Huey, two commits each",
    "huey_rows",
    ("huey.bin.huey_consumer", "benchmarks.peers.huey_rows.huey", "-k", "process", "-w", str(PROCESSES), "-q"),
    ("benchmarks.peers.filling", "huey_rows"),
    queue="huey.redis.rows",
)
DRAMATIQ_ROWS = Peer(
    "Dramatiq, two commits each",
    "dramatiq_rows",
    ("dramatiq", "benchmarks.peers.dramatiq_rows", "-p", str(PROCESSES)),
    ("benchmarks.peers.filling", "dramatiq_rows"),
    queue="dramatiq:default",
)
ALL = (BARE, CELERY, FASTAPI, RQ, DRAMATIQ, HUEY, PROCRASTINATE, ROW)
DRAINED = (NOOP, HUEY_ROWS, DRAMATIQ_ROWS)


def python() -> str:
    """The interpreter that has the peers' packages: `make bench` installs them; PEERS names another environment."""
    return str(Path(environment({}).get("PEERS") or Path(sys.prefix) / "peers") / "bin" / "python")


@dataclass
class Rivals:
    """Peers that run, each with a database of its own on the servers of `app`, which the supervisor runs too."""

    app: Flask
    supervisor: Supervisor
    ports: dict[Peer, int] = field(default_factory=dict)

    def start(self, peers: Sequence[Peer], *, workers: bool) -> None:
        """Bring their web servers up, and their workers too."""
        for peer in peers:
            self.prepare(peer)
            self.ports[peer] = ports.free()
            self.supervisor.start(Program(f"{peer.module}-web", self._server(peer), self.environment(peer)))
            if workers:
                self.supervisor.start(
                    Program(f"{peer.module}-worker", self.command(peer.worker), self.environment(peer))
                )
        for peer, port in self.ports.items():
            self.supervisor.until(partial(ports.answers, port), f"{peer.module}-web to answer", SLOW)

    def clear(self, peer: Peer) -> None:
        """Forget what it was given to do, as nobody does it."""
        self.redis(peer).flushdb()
        if self._rows(peer):
            with psycopg.connect(self._database(peer), autocommit=True) as connection:
                tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
                names = ", ".join(name for (name,) in tables)
                connection.execute(f"TRUNCATE {names} CASCADE".encode())

    def redis(self, peer: Peer) -> Redis:
        """A client of the server on which its messages and its tokens lie."""
        return Redis.from_url(self._redis_url(peer))

    def prepare(self, peer: Peer) -> None:
        """Make its tables."""
        if self._rows(peer):
            with psycopg.connect(plain(self.app.config["DATABASE_URL"]), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {peer.module}".encode())
            words = self.command(peer.before)
            self.supervisor.run(Program(f"{peer.module}-tables", words, self.environment(peer)), SLOW)

    def _rows(self, peer: Peer) -> bool:
        return bool(peer.before)

    def _server(self, peer: Peer) -> list[str]:
        port, processes = str(self.ports[peer]), str(PROCESSES)
        where = [f"{peer.path}:app", "--host", ports.HOST, "--port", port, "--workers", processes]
        if peer.uvicorn:
            return self.command(["uvicorn", *where, "--log-level", "warning"])
        options = ["--interface", "wsgi", "--blocking-threads", str(THREADS), "--log-level", "warning"]
        return self.command(["granian", *where, *options])

    def command(self, words: Sequence[str]) -> list[str]:
        """A module with its options, run by their interpreter."""
        return [python(), "-m", *words]

    def environment(self, peer: Peer) -> Mapping[str, str]:
        """That of its programs."""
        own = {"PEER_REDIS_URL": self._redis_url(peer), "PEER_DATABASE_URL": self._database(peer)}
        return environment({"PYTHONPATH": str(Path.cwd()), **own})

    def _redis_url(self, peer: Peer) -> str:
        whole: str = self.app.config["REDIS_URL"]
        return f"{whole.removesuffix('/0')}/{(*ALL, *DRAINED).index(peer) + 1}"

    def _database(self, peer: Peer) -> str:
        url = make_url(self.app.config["DATABASE_URL"]).set(database=peer.module)
        return plain(url.render_as_string(hide_password=False))


def plain(url: str) -> str:
    """As libpq reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
