"""The system as its user sees it when the kills are over: is everything done, and what has become of it?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from webapi.local.drill.api import Api, NoAnswer
from webapi.local.drill.customers import AGAIN
from webapi.local.drill.journal import Journal
from webapi.local.drill.oracle import Evidence, repeated

OPEN = ["scheduled", "queued", "running", "retrying"]
LOOK = 0.5  # seconds between two questions whether all is over
PATIENCE = 60.0  # seconds for an answer

T = TypeVar("T")


class Outside:
    """Asks the API; `requests` and `receipts` are the logs of the client and of the sinks."""

    def __init__(self, api: Api, requests: Journal, receipts: Journal) -> None:
        self._api, self._requests, self._receipts = api, requests, receipts

    def drain(self, deadline: float) -> None:
        """Wait until no job is open. What is open at the deadline is for the oracle to find."""
        while self._insist(lambda: self._api.get("/api/v1/jobs", limit=1, state=OPEN)).body["jobs"]:
            if time.monotonic() > deadline:
                return
            time.sleep(LOOK)

    def replay_given_up(self) -> set[str]:
        crashed = given_up(self._insist(lambda: list(self._api.jobs(state="failed"))))
        for job_id in crashed:
            self._insist(lambda job_id=job_id: self._api.post(f"/api/v1/jobs/{job_id}/replay"))  # type: ignore[misc]
        return crashed

    def evidence(self) -> Evidence:
        """Read everything as a client would: effects only of the jobs for which the oracle needs them."""
        jobs = self._insist(lambda: list(self._api.jobs()))
        sinks, requests = self._receipts.rows(), self._requests.rows()
        acting = {row["tag"] for row in requests if row["what"] == "order" and row["effects"]}
        twice = repeated(requests, sinks)
        needed = [
            job["id"]
            for job in jobs
            if acting.intersection(job["tags"]) and (job["state"] != "succeeded" or twice.intersection(job["tags"]))
        ]
        effects = self._insist(lambda: {job_id: self._api.effects(job_id) for job_id in needed})
        return Evidence(requests, sinks, jobs, effects)

    def _insist(self, ask: Callable[[], T]) -> T:
        """The web may be coming back just now. Raises NoAnswer when it does not."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return ask()
            except NoAnswer:
                if time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN)


def given_up(jobs: Iterable[Mapping[str, Any]]) -> set[str]:
    """Those that killed their worker too often, as it looks from outside."""
    return {job["id"] for job in jobs if (job["error"] or {}).get("code") == "crashed"}
