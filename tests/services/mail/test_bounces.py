"""A notification settles what nobody could know, marks what came back, and says nothing about others' mails."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from tests.queue.rows import OWNER, accept, add_owner, effects, job, states
from tests.services.mail.notices import bounce_of
from webapi.errors import Invalid
from webapi.extensions import db
from webapi.models import Effect, Role, Suppression, User
from webapi.models.columns import after
from webapi.models.transaction import writing
from webapi.queue import control, kind_named
from webapi.queue.audit import audit
from webapi.queue.relay import wake_due
from webapi.queue.run import work
from webapi.services import trail
from webapi.services.mail import bounces, suppressions
from webapi.services.mail.bounces import Outcome
from webapi.tasks.email_send import Email

DONE, LOST, REFUSED = (f"{each}@simulator.webapi" for each in ("delivered", "uncertain", "refused"))
NOTHING = Outcome(1, 0, 0)


@pytest.fixture
def sent(owner: User) -> UUID:
    """A job with a mail that was delivered, one that nobody knows of, and one that was refused."""
    return send(DONE, LOST, REFUSED)


def send(*to: str) -> UUID:
    job_id = accept("email.send", Email(to=list(to), subject="s", text="t"))
    work(kind_named("email.send"))
    while job(job_id).state == "retrying":
        with writing() as session:
            session.execute(update(type(job(job_id))).values(run_at=after(0)))
        wake_due()
        work(kind_named("email.send"))
    return job_id


def take(job_id: UUID, address: str, action: str = "failed", user: User | None = None, **changes: str) -> Outcome:
    """Hand in a notification about one of the job's mails."""
    told = {"recipient": address, "message_id": f"<{effects(job_id)[address].id}.{job_id}@example.com>", **changes}
    return bounces.take(user or db.session.get_one(User, OWNER), bounce_of(action=action, **told))


def whole() -> bool:
    return not [finding for finding in audit() if finding.offenders]


def test_what_nobody_knew_is_refused_and_its_job_gets_its_verdict(owner: User) -> None:
    job_id = send(DONE, LOST)
    assert job(job_id).state == "uncertain"
    assert take(job_id, LOST) == Outcome(1, 1, 1)
    settled = effects(job_id)[LOST]
    assert (settled.state, settled.code, settled.reply, settled.maybe) == (
        "refused", 550, "550 5.1.1 nobody of that name lives here", False,
    )  # fmt: skip
    assert (job(job_id).state, states(job_id)[-2:]) == ("failed", ["uncertain", "failed"])
    assert list(suppressions.among(OWNER, [LOST, DONE])) == [LOST]
    assert whole()


@pytest.mark.parametrize("action", ["delivered", "relayed"])
def test_what_nobody_knew_is_done_and_its_job_succeeds(owner: User, action: str) -> None:
    job_id = send(DONE, LOST)
    assert take(job_id, LOST, action, diagnostic="250 2.0.0 well") == Outcome(1, 1, 0)
    settled = effects(job_id)[LOST]
    assert (settled.state, settled.code, settled.reply) == ("done", 250, "250 2.0.0 well")
    assert (job(job_id).state, job(job_id).error_code) == ("succeeded", None)
    assert whole()


def test_one_answer_of_two_leaves_the_job_uncertain(owner: User) -> None:
    other = f"uncertain+2@{LOST.partition('@')[2]}"
    job_id = send(LOST, other)
    take(job_id, LOST)
    assert (job(job_id).state, effects(job_id)[other].state) == ("uncertain", "unknown")
    take(job_id, other, "delivered")
    assert job(job_id).state == "failed"
    assert whole()


def test_a_mail_that_was_delivered_and_came_back_stays_done_and_says_so(sent: UUID) -> None:
    before = job(sent).state
    assert take(sent, DONE) == Outcome(1, 1, 1)
    came_back = effects(sent)[DONE]
    assert (came_back.state, came_back.bounce, job(sent).state) == (
        "done", "550 5.1.1 nobody of that name lives here", before,
    )  # fmt: skip
    assert came_back.bounced_at is not None


@pytest.mark.parametrize("action", ["failed", "delivered"])
@pytest.mark.parametrize("address", [DONE, LOST])
def test_a_notification_that_comes_again_changes_nothing(sent: UUID, address: str, action: str) -> None:
    take(sent, address, action)
    before = vars(effects(sent)[address]).copy(), states(sent)
    with writing() as session:
        session.query(Suppression).delete()  # a person has taken it off the list meanwhile
    assert take(sent, address, action) == NOTHING
    kept = vars(effects(sent)[address])
    assert all(kept[name] == value for name, value in before[0].items() if name != "_sa_instance_state")
    assert (states(sent), suppressions.page(OWNER)) == (before[1], [])


@pytest.mark.parametrize("action", ["delayed", "expanded"])
def test_what_is_no_end_is_only_counted(sent: UUID, action: str) -> None:
    assert [take(sent, address, action) for address in (DONE, LOST)] == [NOTHING] * 2
    assert (effects(sent)[LOST].state, effects(sent)[DONE].bounced_at) == ("unknown", None)


def test_a_failure_that_may_pass_stops_no_address(sent: UUID) -> None:
    raw = bounce_of(f"<{effects(sent)[LOST].id}.{sent}@example.com>", LOST, diagnostic="")
    outcome = bounces.take(db.session.get_one(User, OWNER), raw.replace(b"Status: 5.1.1", b"Status: 4.4.7"))
    assert outcome == Outcome(1, 1, 0)
    assert (effects(sent)[LOST].code, effects(sent)[LOST].reply) == (550, "a notification says failed 4.4.7")


def test_what_is_refused_or_under_way_is_left_alone(sent: UUID) -> None:
    with writing() as session:
        session.execute(update(Effect).where(Effect.effect_key == LOST).values(state="inflight"))
    assert [take(sent, address) for address in (REFUSED, LOST)] == [NOTHING] * 2
    assert effects(sent)[LOST].state == "inflight"
    assert suppressions.page(OWNER) == []


def test_of_a_mail_that_was_sent_twice_a_failure_says_nothing_and_a_delivery_does(owner: User) -> None:
    """Both have the same id, and the other one may have arrived."""
    job_id = send(LOST)
    with writing() as session:
        control.resolve(session, job_id, {effects(job_id)[LOST].id: "resend"}, "a test")
    work(kind_named("email.send"))
    assert (effects(job_id)[LOST].state, effects(job_id)[LOST].resends) == ("unknown", 1)
    assert take(job_id, LOST) == NOTHING
    assert take(job_id, LOST, "delivered") == Outcome(1, 1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "somebody@example.com"},
        {"message_id": f"<{uuid4()}.{uuid4()}@example.com>"},
        {"message_id": "<x@example.com>"},
        {"message_id": f"<{'-' * 36}.{'-' * 36}@example.com>"},
    ],
)
def test_about_another_mail_it_says_nothing(sent: UUID, changes: dict[str, Any]) -> None:
    assert take(sent, LOST, **changes) == NOTHING
    assert effects(sent)[LOST].state == "unknown"


def test_the_mail_and_its_job_must_belong_together(sent: UUID) -> None:
    assert take(sent, LOST, message_id=f"<{effects(sent)[LOST].id}.{uuid4()}@example.com>") == NOTHING


@pytest.mark.parametrize("recipient", [LOST.upper(), ""])
def test_the_recipient_is_compared_without_case_and_may_be_missing(sent: UUID, recipient: str) -> None:
    assert take(sent, LOST, recipient=recipient) == Outcome(1, 1, 1)


@pytest.mark.parametrize(("role", "outcome"), [(Role.USER, NOTHING), (Role.ADMINISTRATOR, Outcome(1, 1, 1))])
def test_only_an_administrator_speaks_of_others_mails_and_the_trail_says_so(
    sent: UUID, role: Role, outcome: Outcome
) -> None:
    eve = add_owner(uuid4(), "eve@example.com")
    eve.role = role
    db.session.commit()
    assert take(sent, LOST, user=eve) == outcome
    assert suppressions.page(eve.id) == []
    assert len(suppressions.page(OWNER)) == outcome.suppressed
    noted = [(line.who, line.on_what) for line in trail.latest(5)]
    assert noted == ([("eve@example.com", str(sent))] if outcome.settled else [])


def test_a_mail_that_is_no_notification_is_refused(owner: User) -> None:
    with pytest.raises(Invalid, match="no delivery status notification"):
        bounces.take(owner, b"Subject: Hello\n\nHello.\n")
