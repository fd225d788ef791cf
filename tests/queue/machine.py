"""A machine that drives the real code at random, beside a world that counts what really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select, update

from tests.queue.acting import Errands
from tests.queue.attempts import holding
from tests.queue.rows import accept, add_owner
from webapi.errors import Conflict, Permanent, Transient
from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, State
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import Once, control, finish, kind_named
from webapi.queue.acts import Act
from webapi.queue.attempt import Attempt, Cancelled, Replaced
from webapi.queue.audit import audit
from webapi.queue.claim import claim
from webapi.queue.drain import hand_back
from webapi.queue.effects import outstanding
from webapi.queue.relay import Relay

KINDS = st.sampled_from(["errand.hold", "errand.resend"])
KEYS = ["one", "two"]
# What the world did, and what it answered; None is a sender that dies before it hears.
OUTCOMES = st.sampled_from(
    [
        (True, EffectState.DONE),
        (True, EffectState.UNKNOWN),
        (False, EffectState.UNKNOWN),
        (False, EffectState.PENDING),
        (False, EffectState.REFUSED),
        (True, None),
        (False, None),
    ]
)


class Machine(RuleBasedStateMachine):
    """Several workers' attempts side by side, and a world that counts what really happened."""

    app: Flask

    def __init__(self) -> None:
        super().__init__()
        self.context = self.app.app_context()
        self.context.push()
        self.attempts: list[Attempt] = []
        self.marked: list[Act] = []
        self.world: Counter[tuple[object, str]] = Counter()
        self.accepted: dict[str, object] = {}

    @initialize()
    def begin(self) -> None:
        with writing() as session:
            for table in reversed(db.metadata.sorted_tables):
                session.execute(table.delete())
        self.app.extensions["hints"].servers[0].forget_epoch()
        add_owner()

    def teardown(self) -> None:
        db.session.remove()
        self.context.pop()

    @rule(kind=KINDS, key=st.sampled_from(["a", "b", None]))
    def submit(self, kind: str, key: str | None) -> None:
        """A client that asks twice under one key has one job."""
        once = Once("machine", key, f"{kind} {key}") if key else None
        name = f"{kind} {key}"
        if key and any(each.endswith(f" {key}") and each != name for each in self.accepted):
            return
        job_id = accept(kind, Errands(acts=KEYS), once=once)
        if key:
            assert self.accepted.setdefault(name, job_id) == job_id

    @rule(kind=KINDS)
    def claim(self, kind: str) -> None:
        attempt = claim(kind_named(kind))
        if attempt is not None:
            assert (attempt.job_id, attempt.number) not in {(each.job_id, each.number) for each in self.attempts}
            self.attempts.append(attempt)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data())
    def mark(self, data: st.DataObject) -> None:
        with self.some(data) as attempt:
            acts = [act for act in outstanding(KEYS) if act.id not in {each.id for each in self.mine(attempt)}]
            if acts:
                acts[0].mark()
                self.marked.append(acts[0])

    @precondition(lambda self: self.marked)
    @rule(data=st.data(), outcome=OUTCOMES)
    def act(self, data: st.DataObject, outcome: tuple[bool, EffectState | None]) -> None:
        """The act itself, as late as it likes: its sender may have been frozen since the mark."""
        act = self.marked.pop(data.draw(st.integers(0, len(self.marked) - 1)))
        happened, answer = outcome
        assert act.attempt is not None
        self.world[act.attempt.job_id, act.key] += happened
        if answer is not None:
            act.settle(answer, code=250 if happened else 450, reply="so it was")

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), how=st.sampled_from(["returns", "transient", "permanent", "dies", "handed back"]))
    def end(self, data: st.DataObject, how: str) -> None:
        with self.some(data) as attempt:
            self.attempts.remove(attempt)
            self.marked = [act for act in self.marked if act not in self.mine(attempt) or how == "dies"]
            if how == "returns":
                finish.succeeded(attempt, None)
            elif how == "handed back":
                hand_back(attempt.job_id, attempt.number)
            elif how != "dies":
                finish.failed(attempt, Transient("again") if how == "transient" else Permanent("never"))

    @rule()
    def time_passes(self) -> None:
        """Every lease ends, whoever was to be tried again has waited, and a relay looks."""
        with writing() as session:
            session.execute(update(Job).where(Job.state == State.RUNNING).values(lease_until=after(-600)))
            session.execute(update(Job).where(Job.state == State.RETRYING).values(run_at=after(0)))
        Relay(self.app).run_once()

    @rule(data=st.data(), what=st.sampled_from(["cancel", "replay", "delivered", "resend"]))
    def ask(self, data: st.DataObject, what: str) -> None:
        """What people do; that it is too late or too early is an answer."""
        jobs = list(db.session.scalars(select(Job.id).order_by(Job.id)))
        if not jobs:
            return
        job_id = data.draw(st.sampled_from(jobs))
        try:
            with writing() as session:
                if what == "cancel":
                    control.cancel(session, job_id, "machine")
                elif what == "replay":
                    control.replay(session, job_id, "machine")
                else:
                    self.settle_one(session, job_id, what)
        except Conflict:
            pass

    def settle_one(self, session: object, job_id: object, what: str) -> None:
        """An honest person: what they call delivered is there."""
        unknown = db.session.scalars(
            select(Effect).where(Effect.job_id == job_id, Effect.state == EffectState.UNKNOWN).order_by(Effect.id)
        ).all()
        chosen = [each for each in unknown if what == "resend" or self.world[job_id, each.effect_key]]
        if chosen:
            control.resolve(session, job_id, {chosen[0].id: what}, "machine")  # type: ignore[arg-type,dict-item]

    @contextmanager
    def some(self, data: st.DataObject) -> Iterator[Attempt]:
        attempt = data.draw(st.sampled_from(self.attempts))
        try:
            with holding(attempt):
                yield attempt
        except (Replaced, Cancelled):
            attempt.cancelled.clear()

    def mine(self, attempt: Attempt) -> list[Act]:
        return [act for act in self.marked if act.attempt is attempt]

    @invariant()
    def the_ledger_is_whole(self) -> None:
        db.session.rollback()
        assert [finding.sentence for finding in audit(files=False) if finding.offenders] == []

    @invariant()
    def the_ledger_tells_the_truth(self) -> None:
        rows = db.session.execute(
            select(Effect.job_id, Effect.effect_key, Effect.state, Effect.resends, Effect.maybe, Job.state).join(
                Job, Job.id == Effect.job_id
            )
        )
        for job_id, key, effect, resends, maybe, job in rows:
            count = self.world[job_id, key]
            assert count <= 1 + resends, f"{key} happened {count} times with {resends} resends"
            if effect == EffectState.DONE:
                assert count
            if job == State.SUCCEEDED:
                assert count
            if job in {State.FAILED, State.CANCELLED} and effect != EffectState.DONE:
                assert not count
                assert not maybe
