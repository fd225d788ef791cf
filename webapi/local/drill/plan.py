"""What is going to be asked for and what is going to be killed: all of it from one seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T", bound=str)
DOMAIN = "drill.example.com"
# How an address behaves, and how often. A digit counts the tries that go wrong before one goes well.
MANNERS = {
    "ok": 84, "greylist1": 4, "defer1": 4, "cut1": 3,
    "refuse": 1, "reject": 1, "keptmute": 1, "mute": 1, "slow": 1,
}  # fmt: skip
CALL_MANNERS = {"ok": 90, "busy1": 5, "keptmute1": 3, "mute1": 2}
MIXTURE = {"email.send": 72, "data.process": 6, "report.build": 7, "http.call": 15}
CALM = 0.05  # of the orders come together after the last fault: who does not take any of them is deaf
LEAST_CALM = 30  # orders
Fault = Literal["worker child", "worker main", "web", "redis", "flushall"]
FAULTS: dict[Fault, int] = {"worker child": 88, "worker main": 3, "web": 3, "redis": 3, "flushall": 3}


@dataclass(frozen=True)
class Size:
    """How much is to happen. Seconds are those of the chaos; the least is what makes a drill count."""

    jobs: int
    faults: int
    seconds: float
    least_jobs: int
    least_hits: int

    @classmethod
    def of(cls, minutes: float) -> Size:
        """For `minutes` in all: a part of them is for starting, healing and counting."""
        return cls(
            jobs=int(680 * minutes), faults=int(115 * minutes), seconds=60 * minutes * 0.7,
            least_jobs=int(2000 * minutes / 3), least_hits=int(300 * minutes / 3),
        )  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One job that the client wants. `at` and `then_after` are seconds; `effects` are what the sinks will see."""

    number: int
    kind: str
    payload: dict[str, Any]
    at: float
    effects: tuple[str, ...] = ()
    delay: float | None = None
    deadline: float | None = None
    repeats: int = 0
    hangs_up: bool = False
    then: Literal["", "cancel", "replay"] = ""
    then_after: float = 0.0

    @property
    def tag(self) -> str:
        """By which the job is known again, whoever accepted it."""
        return f"n{self.number}"


@dataclass
class Plan:
    """The same for the same seed, size and kinds."""

    seed: int
    size: Size
    kinds: Collection[str]
    call_port: int = 0
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 # nosec B311 - repeatable is the point

    def make(self) -> tuple[list[Order], list[Fault]]:
        """The orders by their time, and the faults in their order."""
        offered = {kind: weight for kind, weight in MIXTURE.items() if kind in self.kinds}
        kinds = list(_weighted(self._random, offered, self.size.jobs))
        orders = [self._order(number, kind) for number, kind in enumerate(kinds)]
        return orders, list(_weighted(self._random, FAULTS, self.size.faults))

    def _order(self, number: int, kind: str) -> Order:
        chance = self._random.random
        busy = self.size.jobs - max(round(CALM * self.size.jobs), LEAST_CALM)
        at = self.size.seconds * min(1.0, number / max(1, busy))
        early = at < self.size.seconds * 0.6  # what is deferred late would keep the drill waiting
        payload, effects = self._work(number, kind, early)
        fate = chance()
        return Order(
            number, kind, payload, at, effects,
            delay=round(3 * chance(), 2) if chance() < 0.08 else None,
            deadline=round(1 + 5 * chance(), 2) if chance() < 0.02 else None,
            repeats=self._random.choice((1, 1, 2)) if chance() < 0.1 else 0,
            hangs_up=chance() < 0.05,
            then="cancel" if fate < 0.04 else "replay" if fate < 0.08 else "",
            then_after=round((0.6 if fate < 0.04 else 4) * chance(), 2),
        )  # fmt: skip

    def _work(self, number: int, kind: str, early: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
        if kind == "email.send":
            to = [
                f"{self._manner(MANNERS, early)}.{number}.{i}@{DOMAIN}"
                for i in range(self._random.choice((1, 1, 1, 2, 3)))
            ]
            return {"to": to, "subject": f"Order {number}", "text": f"This is mail {number}.\n"}, tuple(to)
        if kind == "http.call":
            url = f"http://127.0.0.1:{self.call_port}/{self._manner(CALL_MANNERS, early)}.{number}.0"
            return {"url": url, "method": "POST", "data": {"order": number}}, (f"POST {url}",)
        if kind == "report.build":
            return {"title": f"Report {number}", "format": self._random.choice(("csv", "json", "html"))}, ()
        rows = [{"n": self._random.randrange(1000), "order": number} for _ in range(self._random.randrange(5, 60))]
        return {"data": rows}, ()

    def _manner(self, manners: dict[str, int], early: bool) -> str:
        manner = self._random.choices(list(manners), list(manners.values()))[0]
        return manner if early or not manner.endswith("1") else "ok"


def _weighted(chooser: random.Random, weights: dict[T, int], count: int) -> Iterator[T]:
    """Exactly by weight, and shuffled: no rare sort is left out by bad luck. The first sort gets what rounding left."""
    total = sum(weights.values())
    least = int(count >= len(weights))
    pool = [name for name, weight in weights.items() for _ in range(max(least, count * weight // total))]
    pool += [next(iter(weights))] * (count - len(pool))
    chooser.shuffle(pool)
    yield from pool
