"""An effect: one act on the outside world that cannot be undone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.extensions import db
from webapi.models.columns import Moment
from webapi.models.states import EffectState, sql_list


class Effect(db.Model):  # type: ignore[name-defined,misc]
    """The row precedes the act. `maybe` is sticky: some try ended without an answer.

    `released` says that a person let it go although a rule would hold it. `bounced_at` and `bounce` are what a
    delivery status notification told later: the server had taken the mail, and could not deliver it.
    """

    __tablename__ = "effects"
    __table_args__ = (
        CheckConstraint(f"state IN ({sql_list(EffectState)})", "known_state"),
        UniqueConstraint("job_id", "effect_key"),
        # How many mails somebody had today, and what is known of one address.
        Index(
            "ix_effects_recipient",
            text("lower(effect_key)"),
            postgresql_where=text("kind = 'mail'"),
            sqlite_where=text("kind = 'mail'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    effect_key: Mapped[str] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[EffectState] = mapped_column(String(10), default=EffectState.PENDING)
    maybe: Mapped[bool] = mapped_column(default=False)
    marked_by: Mapped[int | None]
    try_no: Mapped[int] = mapped_column(default=0)
    resends: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[str | None] = mapped_column(String(250))
    code: Mapped[int | None]
    reply: Mapped[str | None] = mapped_column(Text)
    marked_at: Mapped[datetime | None] = mapped_column(Moment)
    settled_at: Mapped[datetime | None] = mapped_column(Moment)
    released: Mapped[bool] = mapped_column(default=False, server_default=false())
    bounced_at: Mapped[datetime | None] = mapped_column(Moment)
    bounce: Mapped[str | None] = mapped_column(String(500))
