"""A declaration that cannot work is refused at import, with a sentence for whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import BaseModel

from webapi.queue import DECLARATION, Kind, Retry, job


class Payload(BaseModel):
    number: int = 1


def work(payload: Payload) -> int:
    """Return the number.

    And more, which nobody reads on a page.
    """
    return payload.number


def without_docstring(payload: Payload) -> None: ...


def without_payload() -> None:
    """Do something."""


def with_two(payload: Payload, other: Payload) -> None:
    """Do something."""


def without_annotation(payload) -> None:  # type: ignore[no-untyped-def]
    """Do something."""


def with_a_plain_type(payload: dict[str, Any]) -> None:
    """Do something."""


@pytest.mark.parametrize("name", ["report", "Report.build", "report.", ".build", "report build", "report.build\n", ""])
def test_a_name_is_two_lower_case_words_or_more(name: str) -> None:
    with pytest.raises(TypeError, match="joined by dots"):
        job(name)(work)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (without_docstring, "needs a docstring"),
        (without_payload, "must take one parameter"),
        (with_two, "it takes 2"),
        (without_annotation, "annotate its parameter"),
        (with_a_plain_type, "annotate its parameter"),
    ],
)
def test_a_function_that_cannot_be_a_job_is_refused(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        job("test.wrong")(function)


def test_a_soft_limit_that_never_comes_first_is_refused() -> None:
    with pytest.raises(TypeError, match="soft_time_limit must be less"):
        job("test.wrong", soft_time_limit=300, time_limit=300)(work)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"batch": 0}, "from 1 to 256"),
        ({"batch": 257}, "from 1 to 256"),
        ({"batch": 8, "effects": lambda payload: ["one"]}, "jobs with effects need batch=1"),
        ({"batch": 8, "rate": "10/s"}, "need batch=1"),
        ({"batch": 8, "concurrency": 2}, "need batch=1"),
        ({"batch": 8, "retry": Retry(budget=1)}, "costs an attempt"),
    ],
)
def test_a_batch_that_would_harm_its_neighbours_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        job("test.wrong", **options)(work)


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="retries"):
        job("test.wrong", retries=3)(work)


def test_the_function_stays_a_plain_function() -> None:
    declared = job("test.plain")(work)
    assert declared is work
    assert declared(Payload(number=3)) == 3


def test_the_declaration_says_what_was_declared() -> None:
    kind: Kind = getattr(job("test.full", queue="slow", retry=Retry(budget=2), public=True)(work), DECLARATION)
    assert (kind.name, kind.queue, kind.retry.budget, kind.public) == ("test.full", "slow", 2, True)
    assert kind.payload is Payload
    assert kind.summary == "Return the number."


def test_a_kind_is_closed_and_held_unless_it_says_otherwise() -> None:
    kind: Kind = getattr(job("test.default")(work), DECLARATION)
    assert (kind.public, kind.on_unknown, kind.on_failure) == (False, "hold", None)


def test_a_declaration_cannot_be_changed_later() -> None:
    kind: Kind = getattr(job("test.frozen")(work), DECLARATION)
    with pytest.raises(FrozenInstanceError):
        kind.public = True  # type: ignore[misc]
