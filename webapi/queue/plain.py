"""Plain Celery tasks, for whoever wants a result from Redis and no ledger.

What is given to such a task travels through Redis, and nothing remembers it. Messages are signed
like all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

from celery import Task
from celery.result import AsyncResult
from flask import current_app

P = ParamSpec("P")
R = TypeVar("R")


class PlainTask(Generic[P, R]):
    """A function, and the doors of the Celery task of the current app that runs it."""

    def __init__(self, name: str, function: Callable[P, R], queue: str, options: dict[str, Any]) -> None:
        self.name = name
        self.function = function
        self.queue = queue
        self.options = options
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    @property
    def task(self) -> Task:
        """The task in the current app's Celery. Raises RuntimeError outside an app context."""
        return current_app.extensions["celery"].tasks[self.name]

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> AsyncResult:
        return self.task.delay(*args, **kwargs)

    def apply_async(self, *args: Any, **kwargs: Any) -> AsyncResult:
        return self.task.apply_async(*args, **kwargs)


def task(name: str, *, queue: str = "default", **options: Any) -> Callable[[Callable[P, R]], PlainTask[P, R]]:
    """Declare a plain Celery task. `options` are Celery's, for example `ignore_result=True`."""

    def declare(function: Callable[P, R]) -> PlainTask[P, R]:
        return PlainTask(name, function, queue, {"ignore_result": False, **options})

    return declare
