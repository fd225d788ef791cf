"""Sending mail: one SMTP transaction for each recipient, each with its receipt in the ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from webapi import traces
from webapi.errors import Permanent, Transient
from webapi.models import EffectState
from webapi.queue import acts
from webapi.queue.acts import Act, Receipt
from webapi.queue.attempt import Snooze, current, progress
from webapi.queue.effects import outstanding
from webapi.services.mail import letters, pool, simulator, smtp, suppressions, unsubscribe, wave
from webapi.services.mail.letters import Letter
from webapi.services.mail.message import Attachment, Envelope, Press
from webapi.services.mail.placeholders import Missing
from webapi.services.mail.signing import signed

Values = Mapping[str, str]


@dataclass(frozen=True)
class Errand:
    """One letter for many: to each address with its own values.

    `connections` is how many mails are under way at once. `between` is called before each wave of them, and
    may raise Snooze. What is `own` is our own mail to its person, which no rule holds back.
    """

    letter: Letter
    to: Mapping[str, Values]
    envelope: Envelope
    attachments: Sequence[Attachment] = ()
    connections: int = 1
    between: Callable[[], None] = field(default=lambda: None)
    own: bool = False


def deliver(errand: Errand) -> dict[str, Any]:
    """Send to each address that has not had it yet. Returns how many were accepted, refused and held just now.

    Raises Transient when the server wants some of them later, also when it cannot be reached;
    who has been reached is remembered and is not mailed again.
    """
    left = outstanding(errand.to)
    held = [] if errand.own else _hold(left)
    stopped = {receipt.act.id for receipt in held}
    sending = _Sending(errand, deque(act for act in left if act.id not in stopped))
    receipts = sending.run()
    _come_back_for([receipt for receipt in receipts if receipt.state is EffectState.PENDING], len(errand.to))
    counted = {state: sum(receipt.state is state for receipt in receipts) for state in EffectState}
    return {"accepted": counted[EffectState.DONE], "refused": counted[EffectState.REFUSED], "held": len(held)}


def send_own(template: str, address: str, /, **values: str) -> None:
    """One of our own mails, from `templates/email/<template>.html`, to one person."""
    config = current_app.config
    given = {"brand": config["MAIL_BRAND"], **values}
    envelope = Envelope(config["MAIL_DEFAULT_SENDER"])
    deliver(Errand(letters.built_in(template), {address: given}, envelope, own=True))


def _hold(left: Sequence[Act]) -> list[Receipt]:
    attempt = current()
    bound = [act for act in left if not act.released]
    if attempt is None or not bound:
        return []
    reasons = suppressions.holding(attempt.owner_id, [act.key for act in bound])
    held = [Receipt(act, EffectState.HELD, None, reasons[act.key]) for act in bound if act.key in reasons]
    acts.decline(held)
    return held


class _Sending:
    """The course of one errand."""

    def __init__(self, errand: Errand, left: deque[Act]) -> None:
        self._errand, self._left, self._total = errand, left, len(left)
        prepared = letters.prepare(errand.letter)
        self._press = Press(prepared, errand.envelope, errand.attachments)
        self._links_out = errand.envelope.bulk or prepared.unsubscribes
        attempt = current()
        self._sandbox = attempt is not None and attempt.sandbox

    def run(self) -> list[Receipt]:
        receipts: list[Receipt] = []
        with ExitStack() as stack:
            lines: list[smtp.Connection] = []
            while self._left:
                self._rest(receipts)
                posts = [self._posted(self._left.popleft()) for _ in range(min(len(self._left), self._width))]
                if not lines and any(not self._is_played(post.act) for post in posts):
                    lines = stack.enter_context(pool.borrowed(min(self._width, self._total)))
                pairs = self._pairs(posts, lines)
                with traces.step("smtp", mails=len(pairs)):
                    result = wave.send(self._errand.envelope.address, pairs)
                receipts += result.receipts
                self._left.extendleft(post.act for post in result.again)
                _stop_if_hopeless(result)
                progress(100 * len(receipts) / self._total, f"{len(receipts)} of {self._total} recipients")
        return receipts

    def _rest(self, receipts: Sequence[Receipt]) -> None:
        """A turn in which all were put off ends as an attempt, and the next waits: a rest costs nothing, for ever."""
        try:
            self._errand.between()
        except Snooze:
            if all(receipt.state is EffectState.PENDING for receipt in receipts):
                _come_back_for(receipts, self._total)
            raise

    @property
    def _width(self) -> int:
        return self._errand.connections

    def _pairs(self, posts: Sequence[wave.Posted], lines: list[smtp.Connection]) -> list[tuple[wave.Line, wave.Posted]]:
        """Each mail with a connection of its own; what finds none waits for the next wave."""
        for position, line in enumerate(lines):
            if not line.usable:
                line.quit()
                lines[position] = smtp.connect(current_app.extensions["mail"])
        free = list(lines)
        pairs: list[tuple[wave.Line, wave.Posted]] = []
        for post in posts:
            if self._is_played(post.act):
                pairs.append((simulator.Simulator(), post))
            elif free:
                pairs.append((free.pop(), post))
            else:
                self._left.append(post.act)
        return pairs

    def _is_played(self, act: Act) -> bool:
        return self._sandbox or simulator.is_simulated(act.key)

    def _posted(self, act: Act) -> wave.Posted:
        envelope = self._errand.envelope
        job = act.attempt.job_id if act.attempt else act.id
        message_id = f"<{act.id}.{job}@{envelope.domain}>"
        leave = unsubscribe.link(act) if self._links_out else ""
        try:
            message = self._press.print(act.key, message_id, self._errand.to[act.key], leave)
        except Missing as error:
            raise Permanent(f"There is no value for {{{{{error.name}}}}}, which the template needs.") from None
        except ValueError as error:
            raise Permanent(f"The values do not fit: {error}.") from None
        return wave.Posted(act, signed(message, envelope.domain), message_id)


def _come_back_for(deferred: Sequence[Receipt], total: int) -> None:
    if deferred:
        first = f"{deferred[0].code} {deferred[0].reply}"[:200]
        raise Transient(f"The mail server asked to try {len(deferred)} of {total} again later: {first}")


def _stop_if_hopeless(result: wave.Result) -> None:
    """A server that does not answer, or wants nothing now, is not asked again at once."""
    states = {receipt.state for receipt in result.receipts}
    if EffectState.UNKNOWN in states:
        raise Transient("The mail server hung up after it had a whole mail and before it answered.")
    if any(receipt.state is EffectState.PENDING and receipt.code is None for receipt in result.receipts):
        raise Transient("The mail server hung up before the end of the mail.")
