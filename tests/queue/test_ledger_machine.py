"""The real code on both databases, driven at random: in whatever order, the ledger and the world agree."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.queue.machine import Machine
from tests.servers import Broker

QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
QUICK = settings(
    max_examples=25, stateful_step_count=30, derandomize=True, database=None, deadline=None, suppress_health_check=QUIET
)
LONG = settings(max_examples=400, stateful_step_count=50, deadline=None, suppress_health_check=QUIET)


def run(app: Flask, how: settings) -> None:
    run_state_machine_as_test(type("MachineHere", (Machine,), {"app": app}), settings=how)


def test_whatever_happens_in_whatever_order(ground: Flask, broker: Broker) -> None:
    run(ground, QUICK)


@pytest.mark.soak
def test_whatever_else_happens(ground: Flask, broker: Broker) -> None:
    run(ground, LONG)
