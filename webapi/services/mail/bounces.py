"""Bounces: what a delivery status notification changes about the mail of ours that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Update, select, update
from sqlalchemy.orm import Session

from webapi.extensions import db
from webapi.models import Effect, EffectState, Job, State, User
from webapi.models.columns import now
from webapi.models.transaction import writing
from webapi.queue import control
from webapi.services import jobs, trail
from webapi.services.mail import dsn, suppressions
from webapi.services.mail.dsn import Notice

ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
OURS = re.compile(rf"<{ID}\.{ID}@[^<>@]+>", re.IGNORECASE)  # as the mailer makes them: effect, job
NO_CODE = 550  # RFC 5321 section 4.2.3: not taken, for good


@dataclass(frozen=True)
class Outcome:
    """How many recipients a notification speaks of, how many mails it changed, and how many addresses it stopped."""

    notices: int
    settled: int
    suppressed: int


def take(user: User, raw: bytes) -> Outcome:
    """Settle by a notification what nobody could know, and note what came back. Taking it again changes nothing.

    It is a claim of whoever hands it in, so it counts for their own mails; an administrator's counts for everybody's.
    Raises Invalid for a mail that is no notification.
    """
    notices = dsn.read(raw)
    changes = [_apply(user, notice) for notice in notices]
    return Outcome(len(notices), sum(settled for settled, _ in changes), sum(stopped for _, stopped in changes))


def _apply(user: User, notice: Notice) -> tuple[bool, bool]:
    """Whether a mail was changed, and whether its address was suppressed for its owner."""
    mail = _mail(user, notice)
    if mail is None:
        return False, False
    actor = jobs.actor(user)
    with writing() as session:
        # The job first and its effect after it, as whoever settles by hand does.
        state = session.scalar(select(Job.state).where(Job.id == mail.job_id).with_for_update())
        settled = _settle(session, mail.id, notice)
        if settled and state == State.UNCERTAIN:
            control.refine(session, mail.job_id, actor)
        stops = settled and notice.permanent
        stopped = stops and suppressions.add(mail.owner_id, mail.effect_key, "bounce", notice.text)
        if settled and mail.owner_id != user.id:
            trail.note("job.resolved", actor=trail.by(user.id), on_what=mail.job_id)
    return settled, stopped


def _mail(user: User, notice: Notice) -> Row[UUID, UUID, str, UUID] | None:
    """The mail that a notice is about, if this person may speak of it."""
    ours = OURS.fullmatch(notice.message_id)
    if ours is None:
        return None
    query = select(Effect.id, Effect.job_id, Effect.effect_key, Job.owner_id).join(Job, Job.id == Effect.job_id)
    query = query.where(Effect.id == UUID(ours[1]), Effect.job_id == UUID(ours[2]), Effect.kind == "mail")
    if not user.is_admin:
        query = query.where(Job.owner_id == user.id)
    found: Row[UUID, UUID, str, UUID] | None = db.session.execute(query).first()
    if found is None or notice.recipient not in {"", found.effect_key.lower()}:
        return None
    return found


def _settle(session: Session, effect_id: UUID, notice: Notice) -> bool:
    """Whether the notice says more than is known. What is in flight is its sender's to settle."""
    said = notice.text or f"a notification says {notice.action} {notice.status}".strip()
    mail = update(Effect).where(Effect.id == effect_id)
    unknown = mail.where(Effect.state == EffectState.UNKNOWN)
    known: dict[str, Any] = {"reply": said, "settled_at": now()}
    if notice.action in {"delivered", "relayed"}:
        return _changes(session, unknown.values(state=EffectState.DONE, code=notice.code, **known))
    if notice.action != "failed":
        return False
    # Both sendings of a mail that a person had sent again carry one id: which of them failed, nobody can know.
    refused = unknown.where(Effect.resends == 0).values(
        state=EffectState.REFUSED, maybe=False, code=notice.code or NO_CODE, **known
    )
    bounced = mail.where(Effect.state == EffectState.DONE, Effect.bounced_at.is_(None))
    return _changes(session, refused) or _changes(session, bounced.values(bounced_at=now(), bounce=said))


def _changes(session: Session, statement: Update) -> bool:
    done = session.execute(statement.execution_options(synchronize_session=False))
    return bool(done.rowcount)  # type: ignore[attr-defined]
