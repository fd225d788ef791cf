from __future__ import annotations

from typing import Any

from webapi.queue import Retry, job
from webapi.services.system import audits
from webapi.services.system.audits import AuditOrder


@job("system.audit", retry=Retry(budget=2), soft_time_limit=3500, time_limit=3600)
def check_ledger(order: AuditOrder) -> dict[str, Any]:
    """Check the invariants of the ledger."""
    return audits.run(order)
