"""The judge. It knows what the client asked and was told, what the sinks took, and what the API says at the end.

It does not know the ledger. Each fault that it finds is a sentence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapi.local.drill.journal import Row

FINAL = {"succeeded", "uncertain", "failed", "cancelled", "expired"}


@dataclass
class Judgement:
    """What was found. A job may break more than one promise."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    uncertain_arrived: int = 0  # effects that nobody could know of, and that the sink has
    uncertain_absent: int = 0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.duplicated or self.false)


@dataclass(frozen=True)
class Evidence:
    """`requests` is the client's log, `sinks` that of the sinks; `jobs` and `effects` are the API's answers.

    `effects`, by the id of a job, is needed for each job with effects that did not succeed, and where a
    sink has more than one receipt.
    """

    requests: Sequence[Row]
    sinks: Sequence[Row]
    jobs: Sequence[Mapping[str, Any]]
    effects: Mapping[str, Sequence[Mapping[str, Any]]]


def judge(evidence: Evidence) -> Judgement:
    found = Judgement()
    orders = [row for row in evidence.requests if row["what"] == "order"]
    promised = _promised(evidence.requests)
    receipts = Counter(row["effect"] for row in evidence.sinks if row["what"] == "receipt")
    begun = {row["effect"] for row in evidence.sinks if row["what"] == "begun"}
    by_tag = defaultdict(list)
    for job in evidence.jobs:
        by_tag[next(iter(job["tags"]), "")].append(job)
    found.states.update(job["state"] for job in evidence.jobs)
    for order in orders:
        jobs = by_tag.pop(order["tag"], [])
        told = promised.get(order["key"], set())
        found.lost += _unknown(order, told, {job["id"] for job in jobs})
        if len(told) > 1 or len(jobs) > 1:
            found.duplicated.append(f"{order['key']} made {len({*told, *(job['id'] for job in jobs)})} jobs.")
        for job in jobs:
            known = {each["effect_key"]: each for each in evidence.effects.get(job["id"], ())}
            _judge_job(found, job, order["effects"], receipts, known, begun)
    found.duplicated += [f"{job['id']} was asked for by nobody." for jobs in by_tag.values() for job in jobs]
    found.duplicated += _renamed(evidence.sinks)
    wanted = {effect for order in orders for effect in order["effects"]}
    found.duplicated += [f"{effect} was done for nobody." for effect in receipts if effect not in wanted]
    return found


def repeated(requests: Iterable[Row], sinks: Iterable[Row]) -> set[str]:
    """The tags of the orders of which a sink has more than one receipt for an effect."""
    receipts = Counter(row["effect"] for row in sinks if row["what"] == "receipt")
    orders = (row for row in requests if row["what"] == "order")
    return {order["tag"] for order in orders if any(receipts[effect] > 1 for effect in order["effects"])}


def _promised(requests: Iterable[Row]) -> dict[str, set[str]]:
    """The ids that the client was told under each key."""
    told: dict[str, set[str]] = defaultdict(set)
    for row in requests:
        if row["what"] == "answered" and row["status"] == 202 and row["key"]:
            told[row["key"]].add(row["job"])
    return told


def _unknown(order: Row, told: set[str], there: set[str]) -> list[str]:
    if not told:
        return [f"{order['key']} was never accepted."]
    return [f"{job_id} was accepted under {order['key']} and the API does not know it." for job_id in told - there]


def _renamed(sinks: Iterable[Row]) -> list[str]:
    """Effects whose repetitions the other side could not have recognised."""
    names: dict[str, set[str]] = defaultdict(set)
    for row in sinks:
        if row["what"] == "receipt":
            names[row["effect"]].add(row["id"])
    return [f"{effect} was done under {len(ids)} ids." for effect, ids in names.items() if len(ids) > 1]


def _judge_job(
    found: Judgement,
    job: Mapping[str, Any],
    effects: Sequence[str],
    receipts: Mapping[str, int],
    known: Mapping[str, Mapping[str, Any]],
    begun: set[str],
) -> None:
    name, state = job["id"], job["state"]
    if state not in FINAL:
        found.lost.append(f"{name} is {state} and not over.")
    for effect in effects:
        count, row = receipts.get(effect, 0), known.get(effect, {})
        if count > 1 + row.get("resends", 0):
            found.duplicated.append(f"{effect} was done {count} times for {name}.")
        if state == "succeeded":
            if not count:
                found.lost.append(f"{name} succeeded and {effect} has no receipt.")
                found.false.append(f"{name} succeeded and {effect} has no receipt.")
        elif state in FINAL and (lie := _lie(state, row, count, effect in begun)):
            found.false.append(f"{name} is {state}: {effect} {lie}.")
        if state in FINAL and row.get("state") == "unknown":
            found.uncertain_arrived += bool(count)
            found.uncertain_absent += not count


def _lie(state: str, row: Mapping[str, Any], count: int, begun: bool) -> str:
    """What the API says of one effect although it is not so; empty when it may be so."""
    said = row.get("state", "missing")
    if said == "done":
        return "" if count else "is called done and has no receipt"
    if said == "unknown":
        mail = row.get("kind") == "mail"
        return "is called unknown and was never begun" if mail and not begun else ""
    if not count:
        return ""
    held = said == "pending" and state == "uncertain" and row.get("resends")
    return "" if held else f"is called {said} and has a receipt"
