"""The health of the parts: each with a sentence and, where something is to be done, the command that does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import current_app

from webapi.queue.explain import knows
from webapi.services.system import crew, parts, redis_servers
from webapi.services.system.crew import Member
from webapi.services.system.look import LATE, SHOWN, Look, look, several
from webapi.services.system.parts import Check
from webapi.services.system.restoring import PAUSED_BY

RELAY_LATE = 10.0  # seconds; a relay looks each second

__all__ = ["Check", "examine", "judged", "outside"]


def examine() -> list[Check]:
    """Look at every part. What needs the database is left out when it is away."""
    database = parts.database()
    if database.verdict == "bad":
        return [database, *redis_servers.checks(), parts.files(), parts.disk(), parts.mail()]
    return [*judged(look(), database), *outside()]


def judged(seen: Look, database: Check | None = None) -> list[Check]:
    """What can be asked each few seconds: the parts of our own, and what a look at the ledger showed."""
    return [
        database or parts.database(),
        parts.clock(seen.clock, datetime.now(UTC)),
        *redis_servers.checks(),
        _workers(seen),
        _waiting(seen),
        _relay(seen),
        _pauses(seen),
        _schedules(seen),
        _uncertain(seen),
        parts.files(),
        parts.disk(),
    ]


def outside() -> list[Check]:
    """What others run. Asking takes as long as they take, and costs them something."""
    return [parts.mail(), *parts.sources()]


def _workers(seen: Look) -> Check:
    living = crew.living(seen.crew)
    taken = {queue for each in living for queue in each.row.queues}
    missing = sorted(set(current_app.extensions["queues"]) - taken)
    if missing:
        names = ",".join(missing)
        return Check("workers", "bad", f"No living worker takes: {names}.", f"make worker QUEUES={names}")
    unknown = _unknown_to(living)
    if unknown:
        sentence = f"No living worker knows: {', '.join(unknown)}; such jobs wait."
        return Check("workers", "bad", sentence, "start the workers again with this version of the program")
    older = [each for each in living if _unknown_to([each])]
    if older:
        sentence = f"{len(older)} of {len(living)} run an older program, which does not know: "
        sentence += f"{', '.join(_unknown_to(older[:1]))}. The others take such jobs."
        return Check("workers", "warn", sentence, f"stop {older[0].name} with SIGTERM and start this version instead")
    slots, gone = sum(each.row.slots for each in living), len(seen.crew) - len(living)
    sentence = f"{len(living)} with {slots} slots; every queue is taken."
    return Check("workers", "ok", f"{sentence} {gone} more said nothing for a minute." if gone else sentence)


def _unknown_to(workers: Sequence[Member]) -> list[str]:
    """Of the kinds on their queues, those that none of these workers can run as this program accepts them."""
    missing = []
    for kind in current_app.extensions["kinds"].values():
        there = [each.row for each in workers if kind.queue in each.row.queues]
        if there and not any(knows(row, kind.name, kind.version) for row in there):
            missing.append(f"{kind.name} (version {kind.version})" if kind.version > 1 else kind.name)
    return missing


def _waiting(seen: Look) -> Check:
    if not seen.due:
        return Check("waiting", "ok", "No job waits.")
    if seen.oldest is None:
        return Check("waiting", "ok", f"{several(seen.due, 'job is', 'jobs are')} due, all of paused kinds.")
    age = seen.age(seen.oldest.since)
    sentence = f"{several(seen.due, 'job is', 'jobs are')} due, the oldest for {age:.0f} s."
    if age > LATE:
        return Check("waiting", "warn", sentence, f"flask jobs why {seen.oldest.id}")
    return Check("waiting", "ok", sentence)


def _relay(seen: Look) -> Check:
    """A relay is in every worker; whether one works shows in what it should have done."""
    if seen.not_woken is not None and seen.age(seen.not_woken.since) > RELAY_LATE:
        age = seen.age(seen.not_woken.since)
        sentence = f"A {seen.not_woken.state} {seen.not_woken.kind} was to be queued {age:.0f} s ago: no relay works."
        return Check("relay", "bad", sentence, "make relay, and look for 'relay pass failed' in the workers' logs")
    if not seen.crew:
        return Check("relay", "ok", "Every worker has one; no worker has said anything yet.")
    return Check("relay", "ok", f"The last pass that was heard of began {min(_quiet(seen)):.0f} s ago.")


def _quiet(seen: Look) -> Sequence[float]:
    return [each.quiet for each in seen.crew]


def _pauses(seen: Look) -> Check:
    resting = [each.name for each in seen.kinds if each.paused_at is not None]
    if any(each.paused_by == PAUSED_BY for each in seen.kinds):
        sentence = f"Paused since the ledger was restored: {', '.join(resting)}."
        return Check(
            "kinds", "warn", sentence, "flask recover status, and once that is looked at: flask recover resume"
        )
    if resting:
        return Check("kinds", "warn", f"Paused: {', '.join(resting)}.", f"flask kinds resume {resting[0]}")
    unknown = [each.name for each in seen.kinds if not each.known]
    if unknown:
        sentence = f"Jobs wait of kinds that this version does not have: {', '.join(unknown)}."
        return Check("kinds", "warn", sentence, "run the version that has them, or cancel these jobs")
    return Check("kinds", "ok", "None is paused.")


def _schedules(seen: Look) -> Check:
    if not seen.late:
        return Check("schedules", "ok", "None is late.")
    first = seen.late[0]
    count = f"{SHOWN} or more" if len(seen.late) == SHOWN else str(len(seen.late))
    sentence = f"Late: {count}; the first, of {first.kind}, by {seen.age(first.next_at):.0f} s."
    if all(each.problem for each in seen.late):
        return Check("schedules", "warn", sentence, "their pages say why; their owners can edit them")
    return Check("schedules", "bad", sentence, "make relay, which fires them")


def _uncertain(seen: Look) -> Check:
    if not seen.uncertain:
        return Check("uncertain", "ok", "No job waits for a person.")
    sentence = f"{several(seen.uncertain, 'job', 'jobs')} ended without an answer: a person has to look."
    return Check("uncertain", "warn", sentence, "their owners open /jobs?state=uncertain and settle them")
