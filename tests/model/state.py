"""The state of the model: one job with one effect, two workers, a Redis, a client, and the world outside."""

from __future__ import annotations

from typing import NamedTuple

FINAL = {"succeeded", "uncertain", "failed", "cancelled"}
WAITING = {"queued", "retrying"}
BUDGET = 3  # attempts
CRASHES = 2  # the cap; the product's is 3, which adds states and no new situation


class Worker(NamedTuple):
    """`at` is the next step: idle, hinted, ready, prepared, marked, acted, done, again, stopped."""

    at: str = "idle"
    attempt: int = 0
    try_no: int = 0
    answer: str = ""


class Effect(NamedTuple):
    """As in the table `effects`."""

    state: str = "pending"
    maybe: bool = False
    marked_by: int = 0
    try_no: int = 0
    resends: int = 0


class Job(NamedTuple):
    """As in the table `jobs`; `lease` is none, live or over, `ends` counts the final events of this epoch."""

    state: str = "queued"
    attempt: int = 0
    budget: int = BUDGET
    crashes: int = 0
    lease: str = "none"
    cancel: bool = False
    epoch: int = 0
    ends: int = 0


class Left(NamedTuple):
    """What may still go wrong, and what people may still ask for, in this run."""

    kills: int = 0
    losses: int = 0  # hints that are lost or doubled
    overruns: int = 0  # leases that end while their worker lives
    silences: int = 0  # answers and COMMIT replies that are lost
    refusals: int = 0  # answers of the server that decline
    cancels: int = 0
    replays: int = 0
    resolves: int = 0


class World(NamedTuple):
    """Everything. `broken` names what happened that must not be possible at all."""

    left: Left
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    job: Job | None = None
    effect: Effect | None = None
    hints: int = 0
    key: bool = False
    jobs: int = 0
    promised: bool = False
    receipts: int = 0
    asked_again: int = 0  # resends that a person decided
    broken: str = ""


Step = tuple[str, World, bool]  # its name, what it leads to, and whether it is a fault or somebody's wish
