"""A mail server that is none: for addresses that stand for an outcome, and for the jobs of the sandbox.

`delivered@`, `refused@`, `deferred@` and `uncertain@` under `simulator.webapi` end as they say. In the sandbox
every other address is delivered to, and nothing leaves.
"""

from __future__ import annotations

from collections.abc import Iterator

from webapi.services.mail.smtp import Broken, Reply

DOMAIN = "simulator.webapi"
OUTCOMES = {
    "refused": Reply(550, "5.1.1 The simulator knows nobody of that name"),
    "deferred": Reply(451, "4.7.1 The simulator asks to come back later"),
}


def is_simulated(address: str) -> bool:
    """Whether an address stands for an outcome. No mail to it ever leaves."""
    return address.rpartition("@")[2].lower() == DOMAIN


class Simulator:
    """In place of a connection, for one mail."""

    declined: Reply | None = None
    kept = dirty = False

    def __init__(self) -> None:
        self._to = ""

    def offer(self, sender: str, to: str) -> Iterator[None]:
        self._to = to.partition("@")[0].partition("+")[0].lower() if is_simulated(to) else "delivered"
        self.declined = OUTCOMES.get(self._to)
        yield

    def body(self, message: bytes) -> None:
        """The message is looked at by nobody."""

    def dot(self) -> None:
        """Nothing is sent."""

    def answer(self, deadline: float) -> Reply:
        if self._to == "uncertain":
            raise Broken
        return Reply(250, "2.0.0 The simulator took it")

    def close(self) -> None:
        """There is nothing to close."""
