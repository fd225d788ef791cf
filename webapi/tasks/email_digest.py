from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from webapi.queue import Retry, current, job
from webapi.services import notices


class Digest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hours: int = Field(24, ge=1, le=744, description="How far back it looks. Schedule it once in that time.")


@job("email.digest", queue="email", retry=Retry(on=(OSError,), budget=8), public=True)
def send_digest(digest: Digest) -> dict[str, Any]:
    """Mail me which of my jobs failed or ended uncertain; nothing when there are none."""
    attempt = current()
    assert attempt is not None, "a digest is about the owner of its job"
    return notices.digest(attempt.owner_id, digest.hours)
