from __future__ import annotations

from typing import Any

from webapi.queue import task
from webapi.services import profiles


@task("process_data")
def process_data(data: Any) -> dict[str, Any]:
    """`data.process` as a plain Celery task: data and result go through Redis, and nothing remembers them."""
    return profiles.profile_values(data)
