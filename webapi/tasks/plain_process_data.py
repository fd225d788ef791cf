from __future__ import annotations

from typing import Any

from webapi.queue import task
from webapi.services.processing.plan import Cleaning
from webapi.services.processing.tables import of_values
from webapi.services.processing.work import process


@task("process_data")
def process_data(data: Any) -> dict[str, Any]:
    """`data.process` as a plain Celery task: data and result go through Redis, and nothing remembers them."""
    return process(lambda folder: of_values(data, folder), Cleaning())
