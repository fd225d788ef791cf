"""How a kind of job is declared: a payload model and a plain function, without an app."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel

from webapi.queue.endings import FinishedJob
from webapi.queue.payloads import NewerPayload, Upgrade, payload_of

WIRE_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
RATE = re.compile(r"([1-9]\d{0,6})/([smhd])")
PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # seconds
DECLARATION = "__webapi_kind__"
MOST_IN_BATCH = 256

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Retry:
    """When to try again, and how long to wait.

    `on` are the exceptions that may pass by themselves; `Transient` always is one. `budget` is the
    number of attempts in all. Before attempt k+1 a job waits min(cap, base * 2**(k-1)) seconds times
    a random factor between 0.5 and 1, so that jobs that failed together do not return together.
    """

    on: tuple[type[Exception], ...] = ()
    budget: int = 5
    base: float = 2.0
    cap: float = 600.0


@dataclass(frozen=True)
class Kind:
    """A declared type of job.

    `public` opens the doors (form, JSON, command line) to the people who may submit it; without it
    only our own services do. `effects` lists what the job will do to the outside world, one key for
    each act, before it does any of it; an act whose outcome nobody can know is held for a person or
    sent again, as `on_unknown` says. `mails(payload)` says how many mails are sent by what follows the job: they count
    when it is accepted. `on_failure` names a kind whose payload is `FailedJob`;
    `on_success(payload, finished)` says which jobs follow, as pairs of a kind's name and a payload.
    `prepare(payload, owner_id)` looks at what somebody submits: it returns the payload, completed where it
    may be, or raises Invalid. `recur(payload, owner_id, at, timezone)` does the same for each fire time of a
    schedule, which keeps the payload as it was given. Lists leave out a `hidden` kind: its jobs are parts of others.
    `ready` is called when a worker starts that takes its queue, and raises ConfigError when it must not.
    A field of the payload with `json_schema_extra={"writeOnly": True}` is secret: see `webapi.queue.seals`.
    `version` counts the shapes of the payload: it goes up when programs of before could not read a new one, and they
    leave such jobs to others. `upgrades[n]` makes of a document of version n one of n+1; without it they are the same.
    `batch` is how many due jobs one claim may take, for kinds whose jobs take milliseconds; see docs/jobs.md.
    Limits are in seconds. `rate` bounds how many attempts begin ("100/m"; s, m, h or d), and `concurrency`
    how many run at once, over all workers together.
    """

    name: str
    function: Callable[[Any], Any]
    payload: type[BaseModel]
    queue: str = "default"
    retry: Retry = field(default_factory=Retry)
    public: bool = False
    soft_time_limit: float = 240.0
    time_limit: float = 300.0
    effects: Callable[[Any], Iterable[str]] | None = None
    effect: Literal["mail", "call"] = "mail"
    mails: Callable[[Any], int] | None = None
    on_unknown: Literal["hold", "resend"] = "hold"
    on_failure: str | None = None
    on_success: Callable[[Any, FinishedJob], Sequence[tuple[str, BaseModel]]] | None = None
    prepare: Callable[[Any, UUID], BaseModel] | None = None
    recur: Callable[[Any, UUID, datetime, str], BaseModel] | None = None
    ready: Callable[[], None] | None = None
    hidden: bool = False
    rate: str | None = None
    concurrency: int | None = None
    batch: int = 1
    version: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)

    def upgraded(self, document: Mapping[str, Any], version: int) -> dict[str, Any]:
        """A document that the ledger kept as `version`, in the shape of this program's. Raises NewerPayload.

        Sealed values are moved as they are. The model has the last word on what comes of it.
        """
        if version > self.version:
            raise NewerPayload
        found = dict(document)
        for each in range(version, self.version):
            found = self.upgrades[each](found) if each in self.upgrades else found
        return found

    @property
    def interval(self) -> float | None:
        """Seconds between two attempts of a steady stream at `rate`; None without one."""
        found = RATE.fullmatch(self.rate) if self.rate else None
        return PERIODS[found[2]] / int(found[1]) if found else None

    @property
    def gated(self) -> bool:
        """Whether its attempts need more than a free worker to begin."""
        return self.rate is not None or self.concurrency is not None

    @property
    def summary(self) -> str:
        """The first line of the function's docstring: the sentence that people read about it."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


def job(name: str, **options: Any) -> Callable[[Function], Function]:
    """Declare that `function(payload)` is the work of the kind `name`; the function stays as it is.

    The options are the fields of `Kind`. Raises TypeError where the declaration cannot work, at
    import, so that it is seen by whoever wrote it.
    """

    def declare(function: Function) -> Function:
        if not WIRE_NAME.fullmatch(name):
            raise TypeError(f"{name!r} is no name for a kind: use two or more lower-case words joined by dots.")
        if not (function.__doc__ or "").strip():
            raise TypeError(f"{name} needs a docstring: its first line is what people read about it.")
        kind = Kind(name=name, function=function, payload=payload_of(name, function), **options)
        if faults := _faults(kind):
            raise TypeError(f"{name}: {faults[0]}")
        setattr(function, DECLARATION, kind)
        return function

    return declare


def _faults(kind: Kind) -> list[str]:
    """Why such a declaration cannot work."""
    steps, cap = range(1, kind.version), kind.concurrency
    wrong_rate = kind.rate is not None and kind.interval is None
    rules: dict[str, object] = {
        "soft_time_limit must be less than time_limit.": kind.soft_time_limit >= kind.time_limit,
        f"{kind.rate!r} is no rate; write it like '10/s', '100/m', '5/h' or '1/d'.": wrong_rate,
        f"upgrades[n] leads from version n to n+1, so n is from 1 to {kind.version - 1}.": {*kind.upgrades} - {*steps},
        "concurrency must be at least 1; to hold a kind back, pause it.": cap is not None and cap < 1,
        f"batch is how many jobs one claim may take, from 1 to {MOST_IN_BATCH}.": not 1 <= kind.batch <= MOST_IN_BATCH,
    }
    if kind.batch > 1:
        rules |= {
            "a neighbour's crash would break off its effects; jobs with effects need batch=1.": kind.effects
            is not None,
            "a gate lets jobs pass one by one; rate and concurrency need batch=1.": kind.gated,
            "a neighbour's crash costs an attempt; batch needs Retry(budget=2) or more.": kind.retry.budget < 2,
        }
    return [sentence for sentence, broken in rules.items() if broken]
