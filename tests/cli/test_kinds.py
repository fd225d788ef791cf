"""`flask kinds`: what there is, and holding one back."""

from __future__ import annotations

import json

from flask import Flask


def listed(app: Flask, name: str) -> dict[str, object]:
    kinds = json.loads(app.test_cli_runner().invoke(args=["kinds", "--json"]).output)
    (found,) = [kind for kind in kinds if kind["name"] == name]
    assert isinstance(found, dict)
    return found


def test_the_kinds_are_listed(app: Flask) -> None:
    expected = {"queue": "reports", "public": True, "paused": False, "rate": None}
    assert expected.items() <= listed(app, "report.build").items()


def test_a_kind_is_paused_and_resumed(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    assert "flask kinds resume email.send" in run(args=["kinds", "pause", "email.send"]).output
    assert listed(app, "email.send")["paused"] is True
    assert "[paused] Send a mail" in run(args=["kinds"]).output
    assert "Paused: email.send." in run(args=["doctor"]).output
    assert run(args=["kinds", "resume", "email.send"]).exit_code == 0
    assert listed(app, "email.send")["paused"] is False


def test_a_kind_that_is_none_is_not_paused(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["kinds", "pause", "email.sent"])
    assert (answer.exit_code, "no kind of job called 'email.sent'" in answer.output) == (1, True)
