"""Jobs: declare a kind, submit it, do it. The rest of the program needs no other name from here."""

from webapi.queue.attempt import Snooze, current, new_file, progress
from webapi.queue.endings import FailedJob, FinishedJob
from webapi.queue.extension import Queue, kind_named
from webapi.queue.idempotency import Once, fingerprint
from webapi.queue.job import DECLARATION, Kind, Retry, job
from webapi.queue.plain import PlainTask, task
from webapi.queue.submit import submit

queue = Queue()

__all__ = [
    "DECLARATION",
    "FailedJob",
    "FinishedJob",
    "Kind",
    "Once",
    "PlainTask",
    "Queue",
    "Retry",
    "Snooze",
    "current",
    "fingerprint",
    "job",
    "kind_named",
    "new_file",
    "progress",
    "queue",
    "submit",
    "task",
]
