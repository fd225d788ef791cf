"""Reports that everybody has: of their own jobs, and of their own mails and calls."""

from __future__ import annotations

from webapi.services.queries.parameters import Parameter
from webapi.services.reports.definition import Definition

PERIOD = Parameter(name="period", type="period", label="Period", default="last_30_days")
KIND = Parameter(name="kind", type="text", label="Kind", required=False)

BUILT_IN: dict[str, Definition] = {
    "jobs": Definition(
        title="My jobs",
        sql="""SELECT id, kind, state, attempts, created_at, finished_at, seconds
FROM jobs
WHERE created_at >= $period_from AND created_at < $period_to AND ($kind IS NULL OR kind = $kind)
ORDER BY id""",
        parameters=(PERIOD, KIND),
    ),
    "receipts": Definition(
        title="My mails and calls",
        sql="""SELECT job_id, kind, act, target, state, code, reply, settled_at
FROM receipts
WHERE settled_at >= $period_from AND settled_at < $period_to AND ($kind IS NULL OR kind = $kind)
ORDER BY settled_at, job_id""",
        parameters=(PERIOD, KIND),
    ),
}
