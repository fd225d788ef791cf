"""What a visit writes down, and what it takes for wrong."""

from __future__ import annotations

import pytest

from webapi.local.browser import Answer
from webapi.local.processes import Stopped
from webapi.local.visit import Visit, Wrong, expect


def no_time(seconds: float) -> None:
    """Nobody waits in these tests."""


def test_a_table_is_aligned() -> None:
    visit = Visit(no_time)
    for name, came_of_it in (("register", "done"), ("a longer name", "a much longer outcome")):
        with visit.step(name) as step:
            step.came_of_it = came_of_it
    lines = visit.table().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].index("What came of it") == lines[2].index("done") == lines[3].index("a much")


@pytest.mark.parametrize("error", [KeyError("id"), TypeError("None"), ValueError("no JSON"), ConnectionRefusedError()])
def test_an_answer_that_is_not_as_documented_is_wrong_in_one_sentence(error: Exception) -> None:
    visit = Visit(no_time)
    with pytest.raises(Wrong, match=r"^register: the"), visit.step("register"):
        raise error
    assert visit.steps == []


def test_waiting_for_something_ends_when_the_visit_is_stopped() -> None:
    def stopped(seconds: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        Visit(stopped).until(lambda: None, "nothing")


def test_another_status_is_shown_with_what_was_said() -> None:
    with pytest.raises(Wrong, match="The form was answered with 422 and not 200: not an address"):
        expect(Answer(422, "/", b"not an\n address"), 200, "The form")
