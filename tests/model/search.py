"""Walks through every state that the protocol can reach, and says the shortest way to one that must not be."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tests.model.around import faults, people, relay, submit, time
from tests.model.invariants import broken
from tests.model.state import FINAL, Left, Step, World
from tests.model.working import work


@dataclass
class Found:
    """How many states there are, and the first violation with the steps that lead to it."""

    states: int = 0
    violation: str = ""
    trace: list[str] = field(default_factory=list)


def steps(world: World, policy: str, mistakes: Collection[str]) -> Iterator[Step]:
    yield from submit(world, mistakes)
    for number in (0, 1):
        for name, after, is_fault in work(world, number, policy, mistakes):
            yield f"worker {number} {name}", after, is_fault
    yield from relay(world, mistakes)
    yield from time(world)
    yield from faults(world)
    yield from people(world, mistakes)


def search(policy: str, left: Left, mistakes: Collection[str] = ()) -> Found:
    """Breadth first, so that the first violation has the shortest way to it."""
    start = World(left)
    came: dict[World, tuple[World, str] | None] = {start: None}
    back: dict[World, list[World]] = {}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        if violation := broken(world, policy):
            return Found(len(came), violation, _way(came, world))
        for name, after, is_fault in steps(world, policy, mistakes):
            if not is_fault:
                back.setdefault(after, []).append(world)
            if after not in came:
                came[after] = (world, name)
                queue.append(after)
    stuck = _stuck(came, back)
    return Found(len(came), "I12 an accepted job ends" if stuck else "", _way(came, stuck) if stuck else [])


def _stuck(came: Collection[World], back: dict[World, list[World]]) -> World | None:
    """A state from which no final one can be reached any more without faults and wishes."""
    good = {world for world in came if world.job is not None and world.job.state in FINAL}
    queue = deque(good)
    while queue:
        for before in back.get(queue.popleft(), ()):
            if before not in good:
                good.add(before)
                queue.append(before)
    return next((world for world in came if world not in good), None)


def _way(came: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    names = []
    while (step := came[world]) is not None:
        world, name = step
        names.append(name)
    return names[::-1]
