"""What the payloads of our own mails hold: ids. The addresses stay in SQL."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel


class SenderRef(BaseModel):
    """Which sender a confirmation is for."""

    sender_id: UUID
