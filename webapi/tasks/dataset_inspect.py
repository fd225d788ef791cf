from __future__ import annotations

from typing import Any

from webapi.queue import Retry, current, job
from webapi.services.datasets.changing import DatasetRef
from webapi.services.datasets.inspecting import inspect


@job("dataset.inspect", queue="default", retry=Retry(on=(OSError,)), soft_time_limit=1740, time_limit=1800, hidden=True)
def inspect_dataset(reference: DatasetRef) -> dict[str, Any]:
    """Read a dataset's file to its end, and keep its rows."""
    attempt = current()
    assert attempt is not None, "a dataset belongs to the owner of its job"
    return inspect(attempt, reference.dataset_id)
