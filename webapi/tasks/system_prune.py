from __future__ import annotations

from webapi.queue import Retry, job
from webapi.services import pruning
from webapi.services.pruning import PruneOrder


@job("system.prune", retry=Retry(budget=2), soft_time_limit=3500, time_limit=3600, concurrency=1)
def prune_ledger(order: PruneOrder) -> dict[str, int]:
    """Delete what is older than it is to be kept."""
    return pruning.prune()
