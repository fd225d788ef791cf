"""Questions that the items of one batch have in common are put to the database once.

Only while `remembering()` is open, which is around looking at the items and not around writing: what is remembered is
not changed meanwhile by ourselves, and for the others it is as if all items had been looked at in one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from webapi.errors import WebapiError

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")

_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Within this block each `remembered` function is called once for the same arguments."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def remembered(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """What it answers is remembered, and also the WebapiError that it raises. Its arguments are hashable."""

    @wraps(function)
    def ask(*args: Asked.args, **options: Asked.kwargs) -> Answer:
        answers = _answers.get()
        if answers is None:
            return function(*args, **options)
        question = (function, args, tuple(sorted(options.items())))
        if question not in answers:
            try:
                answers[question] = function(*args, **options)
            except WebapiError as error:
                answers[question] = error
        answer: Answer = answers[question]
        if isinstance(answer, WebapiError):
            raise answer.with_traceback(None)
        return answer

    return ask
