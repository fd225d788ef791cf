"""Celery by itself, which keeps nothing but the message."""

from __future__ import annotations

import os

from celery import Celery

celery = Celery("noop", broker=os.environ["PEER_REDIS_URL"])
celery.conf.task_ignore_result = True


@celery.task(name="noop")
def noop(number: int) -> None:
    """Do nothing."""


publish = noop.delay
