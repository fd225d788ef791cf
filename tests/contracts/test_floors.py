"""The order of the house: a module imports its own floor and those below, never above."""

from __future__ import annotations

import ast

import pytest

from tests.contracts.source import imports, modules, tree

# From the top down. Those in one line stand on the same floor.
FLOORS = (
    ("webapi.local",),
    ("webapi", "webapi.factory"),
    ("webapi.cli", "webapi.serve"),
    ("webapi.blueprints", "webapi.tasks"),
    ("webapi.services",),
    ("webapi.queue",),
    ("webapi.models",),
    ("webapi.extensions",),
    (
        "webapi.errors",
        "webapi.problems",
        "webapi.brokers",
        "webapi.buckets",
        "webapi.retention",
        "webapi.config",
        "webapi.databases",
        "webapi.failpoints",
        "webapi.logs",
        "webapi.metrics",
        "webapi.redis_settings",
        "webapi.reporting",
        "webapi.secret_files",
        "webapi.spans",
        "webapi.traces",
        "webapi.version",
        "webapi.threads",
        "webapi.watch_settings",
    ),
)
DOORS = {"webapi.blueprints", "webapi.tasks"}


def room(module: str) -> str:
    """The first two words of a module's name: `webapi.services` of `webapi.services.accounts`."""
    return ".".join(module.split(".")[:2])


def floor(module: str) -> int:
    """The height of a module; the ground is 0."""
    for height, rooms in enumerate(reversed(FLOORS)):
        if room(module) in rooms:
            return height
    raise AssertionError(f"{module} is on no floor: put it into a room that is there, or give its room a floor here")


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_its_own_floor_and_those_below(module: str) -> None:
    above = sorted(each for each in imports(module) if floor(each) > floor(module))
    assert not above, f"{module} imports {above}, which stand above it: move what it needs down, or the caller up"


@pytest.mark.parametrize("module", [each for each in modules() if room(each) in DOORS])
def test_the_two_doors_do_not_know_each_other(module: str) -> None:
    (other,) = DOORS - {room(module)}
    met = sorted(each for each in imports(module) if room(each) == other)
    assert not met, f"{module} imports {met}: what HTTP and the worker share belongs in webapi.services"


def test_nothing_needs_the_programs_of_make_run() -> None:
    users = {
        module
        for module in modules()
        if room(module) != "webapi.local" and any(room(each) == "webapi.local" for each in imports(module))
    }
    assert not users, f"{users} import webapi.local, which exists for `make run` alone: move what they need down"


FOREIGN = {
    "webapi.services": {"flask.request", "flask.session", "celery"},
    "webapi.models": {"flask.request", "celery"},
}


@pytest.mark.parametrize("module", [each for each in modules() if room(each) in FOREIGN])
def test_a_service_sees_no_request_and_no_celery(module: str) -> None:
    seen = set()
    for node in ast.walk(tree(modules()[module])):
        if isinstance(node, ast.Import):
            seen |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            seen |= {(node.module or "").partition(".")[0]} | {f"{node.module}.{alias.name}" for alias in node.names}
    found = seen & FOREIGN[room(module)]
    assert not found, f"{module} knows {found}: hand it values instead, it must work behind every door"
