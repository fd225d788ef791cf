"""What must hold in every state that can be reached; the names are those of the protocol."""

from __future__ import annotations

from tests.model.state import World


def broken(world: World, policy: str) -> str:
    """The name of what does not hold; nothing when all is well."""
    if world.broken:
        return world.broken
    if world.promised and world.job is None:
        return "I1 a 202 has a row"
    if world.jobs > 1:
        return "I8 a key has one job"
    return _of_the_effect(world, policy)


def _of_the_effect(world: World, policy: str) -> str:
    job, effect = world.job, world.effect
    if job is None or effect is None:
        return ""
    repeats = world.asked_again if policy == "hold" else effect.resends
    if world.receipts > 1 + repeats:
        return "I5 receipts are at most one more than the recorded resends"
    if job.state == "succeeded" and (effect.state != "done" or not world.receipts):
        return "I6 what succeeded is done"
    unanswered = effect.maybe or effect.state in {"inflight", "unknown"}
    if job.state in {"failed", "cancelled"} and effect.state != "done" and (world.receipts or unanswered):
        return "I6 what failed or was cancelled left nothing behind"
    return ""
