"""Alarms, their tests, their pages and the dashboard speak of the same things."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import click
import pytest
import yaml
from flask import Flask

from tests.contracts.source import ROOT
from tests.scraping import samples
from webapi import create_app, metrics
from webapi.metrics import book, pages
from webapi.services.system.gauges import Gauges

RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
TESTS = RULES.with_name("alerts_test.yaml")
DASHBOARD = ROOT / "deploy" / "grafana" / "webapi.json"
PAGE = ROOT / "docs" / "alarms.md"
PROVOKED = ROOT / "tests" / "faults" / "test_alarms.py"
METRIC = re.compile(r"\bwebapi_[a-z_]+")
COMMAND = re.compile(r"`flask ([a-z][a-z-]*(?: [a-z][a-z-]*)?)")


def alarms() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> list[str]:
    """Every query of the dashboard."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """The names of all figures that a process can show."""
    folder = pages.folder_for(tmp_path_factory.mktemp("metrics"), "test", 1)
    book.start(folder)
    for each in vars(metrics).values():
        if isinstance(each, book.Counter):
            each.add(*("x" for _ in each.labels))
        if isinstance(each, book.Histogram):
            each.observe(1.0, *("x" for _ in each.labels))
        if isinstance(each, book.Moment):
            each.note(1.0)
    yield {name for name, _ in samples(pages.page(folder))}
    book.stop()


@pytest.fixture
def known(names: set[str], app: Flask, context: None) -> set[str]:
    text = Gauges(app).page().decode()
    described = set(re.findall(r"^# HELP (\S+)", text, re.MULTILINE))
    return names | described | {"webapi_relay_age_seconds"}  # once a worker has said something


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_alarms_and_dashboard_ask_for_is_there(known: set[str]) -> None:
    asked = {name for text in [*(each["expr"] for each in alarms()), *expressions()] for name in METRIC.findall(text)}
    assert asked - known == set(), "no process shows these"
    assert len(expressions()) > 30


@pytest.mark.parametrize("alarm", alarms(), ids=lambda each: each["alert"])
def test_an_alarm_has_its_page_its_urgency_and_its_tests(alarm: dict[str, Any]) -> None:
    name, notes = alarm["alert"], alarm["annotations"]
    assert alarm["labels"]["severity"] in {"page", "ticket"}
    assert notes["summary"]
    assert notes["runbook_url"] == f"docs/alarms.md#{name.lower()}"
    text = PAGE.read_text("utf-8")
    section = re.search(rf"^## {name}\n\n(.+?)(?=\n## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"docs/alarms.md has no section {name}"
    assert all(word in section[1] for word in ("**Means**", "**Look at**", "**Do**")) or "**do**" in section[1]
    assert f'alertname="{name}"' in TESTS.read_text("utf-8"), f"alerts_test.yaml does not make {name} fire"
    assert name in PROVOKED.read_text("utf-8"), f"{PROVOKED.name} does not provoke {name}"


def test_the_page_has_no_section_without_an_alarm() -> None:
    sections = set(re.findall(r"^## (Webapi\w+)$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert sections == {each["alert"] for each in alarms()}


def test_the_commands_of_the_page_are_there() -> None:
    app = create_app({"DATABASE_URL": "sqlite://"})
    for words in map(str.split, sorted(set(COMMAND.findall(PAGE.read_text("utf-8"))))):
        command: click.Command | None = app.cli
        for word in words:
            assert isinstance(command, click.Group), words
            command = command.get_command(click.Context(command), word)
            assert command is not None, f"flask {' '.join(words)} is no command"


def _promtool(*words: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed; Debian's package prometheus has it")
    done = subprocess.run([program, *words], cwd=RULES.parent, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_alarms() -> None:
    _promtool("check", "rules", RULES.name)


def test_each_alarm_fires_for_what_it_is_there_for_and_no_other_does() -> None:
    _promtool("test", "rules", TESTS.name)


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["title"]
        assert panel["targets"]
