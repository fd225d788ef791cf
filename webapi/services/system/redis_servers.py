"""Each Redis that hints lie on: whether it answers, may carry queues, and keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator

from flask import current_app

from webapi.brokers import CLUSTER
from webapi.queue.hints import Hints
from webapi.queue.servers import Server
from webapi.services.system.parts import Check, unless_slow, watch


def checks() -> list[Check]:
    """One for each server; the name of one that queues have for themselves ends with theirs."""
    hints: Hints = current_app.extensions["hints"]
    return [check(server) for server in hints.servers]


def check(server: Server) -> Check:
    """What is worst about a server."""
    part = " ".join(["redis", *sorted(server.queues)])
    with watch() as taken:
        answers = server.answers()
    if not answers:
        sentence = "It cannot be reached. Jobs are accepted and wait."
        return Check(part, "bad", sentence, f"start it, or check {server.setting}")
    if server.in_cluster():
        return Check(part, "bad", f"{CLUSTER}.", f"change {server.setting}", taken.seconds)
    for sentence, remedy in _complaints(server):
        return Check(part, "warn", sentence, remedy, taken.seconds)
    return unless_slow(Check(part, "ok", "It answers.", "", taken.seconds))


def _complaints(server: Server) -> Iterator[tuple[str, str]]:
    """What costs time and no job, the worst first, and what to do about it."""
    if sentinels := server.sentinels():
        named, answering, replicas = sentinels
        if answering < named:
            yield (
                f"{answering} of {named} sentinels answer and know it.",
                f"start the others, or check {server.setting}",
            )
        if not replicas:
            yield "The sentinels know no replica of it: nothing would take over.", "start a replica (replicaof)"
    keeping = server.keeping()
    if keeping.eviction not in {"noeviction", None}:
        sentence = f"maxmemory-policy is {keeping.eviction}: it may throw hints away, which costs time."
        yield sentence, "redis-cli CONFIG SET maxmemory-policy noeviction"
    if keeping.append_only is False and current_app.config["WEBAPI_ENV"] == "production":
        sentence = "It keeps no append-only file: a restart forgets every hint, and the relay rings again for each job."
        yield sentence, "redis-cli CONFIG SET appendonly yes"
