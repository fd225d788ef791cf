"""How a job ends: its verdict from what is known of its effect, once in each epoch."""

from __future__ import annotations

from collections.abc import Collection

from tests.model.state import FINAL, Effect, Job, World


def settled(effect: Effect) -> Effect:
    """A job that ends leaves nothing in flight, nor declined after a try that had no answer."""
    if effect.state == "inflight" or (effect.maybe and effect.state in {"pending", "refused"}):
        return effect._replace(state="unknown", maybe=True)
    return effect


def verdict(world: World, wanted: str, mistakes: Collection[str]) -> tuple[str, Effect]:
    """The final state and the effect that goes with it; `wanted` is what a done or unanswered effect overrules."""
    assert world.effect is not None
    if "a verdict without looking at the effect" in mistakes:
        return wanted or "succeeded", world.effect
    effect = settled(world.effect)
    if effect.state == "unknown":
        return "uncertain", effect
    if wanted:
        return wanted, effect
    return ("succeeded" if effect.state == "done" else "failed"), effect


def end(world: World, job: Job, judged: tuple[str, Effect], mistakes: Collection[str]) -> World:
    state, effect = judged
    ends = job.ends + 1
    broken = "I4 an epoch ends once" if ends > 1 or job.state in FINAL else world.broken
    over = job._replace(state=state, lease="none", ends=ends)
    return world._replace(job=over, effect=effect, broken=broken)
