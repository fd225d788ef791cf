"""A journal keeps the first and the last of what is said, whatever is said."""

from __future__ import annotations

from webapi.queue.journal import LONGEST_LINE, MOST_BYTES, MOST_LINES, Journal, Kept


def said(texts: list[str]) -> Kept:
    journal = Journal()
    for number, text in enumerate(texts):
        journal.add(float(number), "info", "test", text)
    return journal.read()


def test_a_few_lines_are_all_kept() -> None:
    kept = said(["one", "two"])
    assert ([line.text for line in kept.lines], kept.left_out) == (["one", "two"], 0)
    assert kept.lines[1].moment == "1970-01-01T00:00:01.000Z"


def test_of_many_lines_the_first_and_the_last_are_kept() -> None:
    kept = said([str(number) for number in range(1000)])
    half = MOST_LINES // 2
    assert [line.text for line in kept.lines] == [*map(str, range(half)), *map(str, range(1000 - half, 1000))]
    assert kept.left_out == 1000 - MOST_LINES


def test_long_lines_are_cut_and_together_they_stay_within_bounds() -> None:
    kept = said(["ä" * 5000] * 300)
    assert {(len(line.text), line.cut) for line in kept.lines} == {(LONGEST_LINE, True)}
    assert sum(line.size for line in kept.lines) <= MOST_BYTES
    assert len(kept.lines) + kept.left_out == 300


def test_what_was_said_since_it_was_saved_is_unsaved() -> None:
    journal = Journal()
    assert not journal.unsaved
    journal.add(0.0, "info", "test", "one")
    version = journal.read().version
    journal.add(1.0, "info", "test", "two")
    journal.saved(version)
    assert journal.unsaved
    journal.saved(journal.read().version)
    assert not journal.unsaved


def test_no_database_is_given_a_nul() -> None:
    assert said(["a\0b"]).lines[0].text == "ab"
