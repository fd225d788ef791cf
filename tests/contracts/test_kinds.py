"""What is declared: the names on the wire, the doors that are open, the queues that somebody works."""

from __future__ import annotations

import re

import pytest

import webapi.tasks
from tests.contracts.source import PACKAGE, ROOT
from webapi.queue import Kind, PlainTask

OURS = str(PACKAGE / "tasks")


@pytest.fixture(autouse=True)
def _only_the_products_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests put kinds of their own beside the product's."""
    monkeypatch.setattr(webapi.tasks, "__path__", [OURS])


def kinds() -> list[Kind]:
    return webapi.tasks.jobs()


def plain() -> list[PlainTask[..., object]]:
    return webapi.tasks.plain()


def test_the_names_on_the_wire_stay_what_they_are() -> None:
    names = [kind.name for kind in kinds()]
    pinned = ["data.process", "dataset.inspect", "email.address_asked", "email.bulk", "email.digest"]
    pinned += ["email.new_address", "email.part", "email.password_changed", "email.report"]
    pinned += ["email.report_ready", "email.reset"]
    pinned += ["email.send", "email.sender", "email.spread", "email.taken", "email.verify", "email.welcome"]
    pinned += ["http.call", "image.resize", "report.build", "system.audit", "system.prune"]
    assert names == pinned, "a message that is on its way names its kind: keep the old name, or pin a new one here"


def test_the_plain_tasks_keep_their_names_too() -> None:
    assert [task.name for task in plain()] == ["process_data"]


def test_only_these_kinds_are_open_to_people() -> None:
    opened = {kind.name for kind in kinds() if kind.public}
    doors = {"data.process", "email.bulk", "email.digest", "email.send", "http.call", "image.resize", "report.build"}
    assert opened == doors, "public=True opens a door: say here that this is meant"


def test_every_queue_that_is_named_is_worked() -> None:
    named = {kind.queue for kind in kinds()} | {task.queue for task in plain()} | {"default"}
    (worked,) = re.findall(r"^QUEUES \?= (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert named == set(worked.split(",")), "add the queue to QUEUES in the Makefile: nobody takes its jobs"
