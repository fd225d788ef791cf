"""A wave: as many mails at once as there are connections, marked together and settled together.

RFC 5321 knows one mail at a time on a connection. What waits for a server, and what waits for the disk, is waited for
once for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from webapi.errors import Transient
from webapi.failpoints import failpoint
from webapi.models import EffectState
from webapi.queue import acts
from webapi.queue.acts import Act, Receipt, answer_limit
from webapi.services.mail.simulator import Simulator
from webapi.services.mail.smtp import Broken, Connection, Reply

Line = Connection | Simulator


@dataclass(frozen=True)
class Posted:
    """One mail on its way: its effect, its message and its id."""

    act: Act
    message: bytes
    message_id: str


@dataclass(frozen=True)
class Result:
    """What came of a wave. `again` were not even tried, because a kept connection had gone."""

    receipts: tuple[Receipt, ...]
    again: tuple[Posted, ...]


def send(sender: str, pairs: Sequence[tuple[Line, Posted]]) -> Result:
    """Send each mail on its connection. What came of them is in the ledger when this returns.

    Raises Transient when a connection fails before its mail began, Replaced or Cancelled when none may begin.
    """
    pairs, gone = _offered(sender, pairs)
    declined = [_declined(post, line.declined) for line, post in pairs if line.declined]
    acts.decline(declined)
    open_pairs = [(line, post) for line, post in pairs if not line.declined]
    settled = _act(open_pairs) if open_pairs else []
    return Result((*declined, *settled), tuple(gone))


def _offered(sender: str, pairs: Sequence[tuple[Line, Posted]]) -> tuple[list[tuple[Line, Posted]], list[Posted]]:
    """Envelopes and bodies. Those whose kept connection had gone are for another one."""
    offers = [(line, post, line.offer(sender, post.act.key)) for line, post in pairs]
    ready: list[tuple[Line, Posted]] = []
    gone: list[Posted] = []
    while offers:
        still = []
        for line, post, offer in offers:
            try:
                next(offer)
                still.append((line, post, offer))
            except StopIteration:
                ready.append((line, post))
            except Broken:
                _once_more(line, post, gone)
        offers = still
    for line, post in [*ready]:
        try:
            if not line.declined:
                line.body(post.message)
        except Broken:
            ready.remove((line, post))
            _once_more(line, post, gone)
    return ready, gone


def _once_more(line: Line, post: Posted, gone: list[Posted]) -> None:
    if not line.kept:
        raise Transient("The mail server hung up before it took the mail.") from None
    gone.append(post)


def _act(pairs: Sequence[tuple[Line, Posted]]) -> list[Receipt]:
    """Mark, dot, answer, settle."""
    try:
        acts.mark([post.act for _, post in pairs])
    except BaseException:
        for line, _ in pairs:
            line.close()
        raise
    deadline = time.monotonic() + answer_limit()
    unsent = {post.act.id for line, post in pairs if not _dotted(line, deadline)}
    failpoint("E2")
    receipts = [
        Receipt(post.act, EffectState.PENDING) if post.act.id in unsent else _answered(line, post, deadline)
        for line, post in pairs
    ]
    acts.settle(receipts)
    return receipts


def _dotted(line: Line, deadline: float) -> bool:
    if time.monotonic() >= deadline:  # this process stood still, and others have judged its marks by now
        line.close()
        return False
    try:
        line.dot()
    except Broken:
        return False
    return True


def _answered(line: Line, post: Posted, deadline: float) -> Receipt:
    try:
        reply = line.answer(deadline)
    except Broken:
        return Receipt(post.act, EffectState.UNKNOWN, message_id=post.message_id)
    state = EffectState.DONE if reply.accepted else EffectState.PENDING if reply.transient else EffectState.REFUSED
    return Receipt(post.act, state, reply.code, reply.text, post.message_id)


def _declined(post: Posted, reply: Reply) -> Receipt:
    return Receipt(post.act, EffectState.PENDING if reply.transient else EffectState.REFUSED, reply.code, reply.text)
