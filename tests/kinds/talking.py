"""Kinds that say what they do, to loggers of the standard library and to structlog."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Thread
from typing import Literal

from pydantic import BaseModel, Field
from structlog import get_logger

from webapi.queue import Retry, job, progress

library = logging.getLogger("some.library")
log = get_logger()


class Talk(BaseModel):
    """What to say, how often, and how to end."""

    words: str = "hello"
    times: int = 1
    end: Literal["well", "failure", "wait"] = "well"
    go: str = ""
    password: str = Field("", json_schema_extra={"writeOnly": True})


@job("test.talk", retry=Retry(on=(OSError,), budget=2, base=0.1))
def talk(work: Talk) -> str:
    """Say something, and something secret."""
    for number in range(work.times):
        library.warning("%s %s", work.words, number, extra={"rows": number})
    log.info("by structlog", words=work.words)
    if work.password:
        library.error("signing in with %s failed", work.password)
        library.error("https://ada:%s@example.com/x?token=%s", work.password, work.password)
    other = Thread(target=lambda: library.warning("from a thread of its own"))
    other.start()
    other.join()
    if work.end == "failure":
        raise ConnectionRefusedError(111, "Connection refused")
    while work.end == "wait" and not Path(work.go).exists():
        progress(50)
        time.sleep(0.02)
    return "said"
