"""How long things are kept: the settings of `flask prune`, in days. 0 is for ever."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Retention(BaseModel):
    """Nothing goes by itself: only a `flask prune`, by hand or on a schedule, deletes what is older."""

    KEEP_JOBS_DAYS: int = Field(365, ge=0)
    KEEP_FILES_DAYS: int = Field(0, ge=0)
    KEEP_LOGS_DAYS: int = Field(90, ge=0)
    KEEP_TRAIL_DAYS: int = Field(730, ge=0)
