"""Awkward files through the real doors and a real worker: the right answer, or a sentence that says what is wrong."""

from __future__ import annotations

import pytest

from tests.conftest import Live
from tests.services.datasets.awkward import CASES, Case
from tests.services.datasets.doors import ask, hand_in, inspected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_an_awkward_file_has_its_answer(live: Live, case: Case) -> None:
    made = hand_in(live.app, live.ada, case.file_name, case.content())
    found = inspected(live.app, live.ada, made)
    preview = ask(live.app, live.ada, made["links"]["preview"])
    if case.problem is not None:
        assert found["problem"].startswith(case.problem)
        assert (found["state"], found["rows"], preview["rows"]) == ("faulty", None, [])
        return
    assert (found["problem"], found["state"]) == (None, "ready")
    assert [[each["name"], each["type"]] for each in found["columns"]] == case.columns
    assert found["rows"] == case.rows
    assert preview["rows"][: len(case.first)] == case.first
    assert found["read_as"].items() >= case.read_as.items()
    assert found["notes"] == case.notes
