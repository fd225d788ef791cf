"""Kinds with effects, whose outside world is a file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from webapi.models import EffectState
from webapi.queue import job
from webapi.queue.effects import outstanding


class Acts(BaseModel):
    """What to do to the world, and which acts are to stay without an answer."""

    path: str
    keys: list[str]
    unanswered: list[str] = []
    refused: list[str] = []


def keys_of(acts: Acts) -> list[str]:
    return acts.keys


@job("test.acts", effects=keys_of)
def act(acts: Acts) -> None:
    """Write one line for each act."""
    for each in outstanding(acts.keys):
        each.mark()
        with Path(acts.path).open("a") as world:
            world.write(each.key + "\n")
        if each.key in acts.unanswered:
            each.settle(EffectState.UNKNOWN)
        elif each.key in acts.refused:
            each.settle(EffectState.REFUSED, code=550)
        else:
            each.settle(EffectState.DONE, code=250)
