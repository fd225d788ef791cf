"""How fast a peer's worker empties a queue that is full when it starts, and what that costs."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

from benchmarks.rivals import SLOW, Peer, Rivals
from benchmarks.spending import processor, servers
from webapi.local.programs import Program

LOOK = 0.005  # seconds between two looks at the queue
PATIENCE = 300.0  # seconds for the whole of it


@dataclass(frozen=True)
class Drained:
    """Jobs a second, and microseconds of the processor for each: of the workers, and of PostgreSQL and Valkey."""

    rate: float
    workers: float
    servers: float


@dataclass(frozen=True)
class Mark:
    """A moment: how many wait, and the processor seconds spent until then."""

    left: int
    at: float
    workers: float
    servers: float

    def since(self, before: Mark) -> Drained:
        done = before.left - self.left
        workers, served = self.workers - before.workers, self.servers - before.servers
        return Drained(done / (self.at - before.at), workers / done * 1e6, served / done * 1e6)


def drained(rivals: Rivals, peer: Peer, tasks: int) -> Drained:
    """What the middle 80 % of so many tasks came to. The peer was prepared."""
    rivals.clear(peer)
    fill = rivals.command(["benchmarks.peers.filling", peer.module, str(tasks)])
    rivals.supervisor.run(Program(f"{peer.module}-fill", fill, rivals.environment(peer)), SLOW)
    words, output = rivals.command(peer.worker), subprocess.DEVNULL
    worker = subprocess.Popen(words, env=rivals.environment(peer), stdout=output, stderr=output)  # noqa: S603 - ours
    try:
        first = _mark(rivals, peer, worker, tasks * 0.9)
        return _mark(rivals, peer, worker, tasks * 0.1).since(first)
    finally:
        worker.terminate()
        worker.wait(SLOW)


def _mark(rivals: Rivals, peer: Peer, worker: subprocess.Popen[bytes], wanted: float) -> Mark:
    """The moment when no more than that wait."""
    late = time.monotonic() + PATIENCE
    with rivals.redis(peer) as server:
        while (left := int(server.llen(peer.queue))) > wanted:
            if worker.poll() is not None or time.monotonic() > late:
                raise RuntimeError(f"{peer.name} did not empty its queue.")
            time.sleep(LOOK)
    return Mark(left, time.monotonic(), processor(worker.pid), servers(rivals.supervisor))
