"""Questions that the items of one batch have in common are asked once."""

from __future__ import annotations

import pytest

from webapi.errors import NotFound
from webapi.services.remembering import remembered, remembering

ASKED: list[tuple[str, int]] = []


@remembered
def length(word: str, *, more: int = 0) -> int:
    ASKED.append((word, more))
    if not word:
        raise NotFound("There is no word.")
    return len(word) + more


def test_within_the_block_a_question_is_asked_once_whatever_the_answer() -> None:
    ASKED.clear()
    with remembering():
        assert [length("one"), length("one"), length("three"), length("one", more=2)] == [3, 3, 5, 5]
        for _ in range(2):
            with pytest.raises(NotFound, match="There is no word"):
                length("")
    assert ASKED == [("one", 0), ("three", 0), ("one", 2), ("", 0)]


def test_outside_of_it_and_in_the_next_one_it_is_asked_anew() -> None:
    ASKED.clear()
    for _ in range(2):
        length("one")
        with remembering():
            length("one")
    assert len(ASKED) == 4
