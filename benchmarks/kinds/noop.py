"""Kinds that do nothing, so that what is measured is all that surrounds a job. They are in no production worker."""

from __future__ import annotations

from pydantic import BaseModel

from webapi.queue import job


class Nothing(BaseModel):
    """A payload with a number, to tell one from another."""

    number: int = 0


@job("bench.noop", batch=64)
def noop(nothing: Nothing) -> None:
    """Do nothing, in sets."""


@job("bench.single")
def single(nothing: Nothing) -> None:
    """Do nothing, each in transactions of its own."""
