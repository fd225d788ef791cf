"""Calling another service over HTTP, with a receipt in the ledger and the headers of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks: `webhook-id` is the effect's id and so the same however often
a call is made, which is how the other side can tell a repetition from a new call.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from flask import current_app

from webapi import traces
from webapi.errors import Permanent, Transient
from webapi.models import EffectState
from webapi.queue.acts import Act
from webapi.queue.effects import outstanding, receipt
from webapi.services import http
from webapi.services.echoes import blotted
from webapi.services.targets import NotCallable, Target
from webapi.version import VERSION

LONGEST_WAIT = 3600.0  # seconds; what a Retry-After may ask of us
PLAYED = "played: sandbox"
LATER = {408, 425, 429}  # RFC 9110, 8470, 6585: the same request may go better later
SECONDS = re.compile(r"\d{1,9}")


@dataclass(frozen=True)
class Call:
    """What to ask of whom. `expected` is the status that means success; None means any 2xx.

    `secrets` are values that the answer must not bring back into sight.
    """

    target: Target
    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = None
    expected: int | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def key(self) -> str:
        """What the receipt is called: without the query, which often holds a secret."""
        return f"{self.method} {self.target.url.partition('?')[0]}"[:320]

    def met_by(self, status: int) -> bool:
        return status == self.expected if self.expected else 200 <= status < 300


def make(call: Call) -> dict[str, Any]:
    """Make a call that is not made yet. Returns the answer; of one that was made by an earlier attempt, its receipt.

    Raises Permanent when the service declines or may not be called, Transient when it may go better later. Also when
    nobody answered: then it is made again under the same webhook-id, and counted.
    """
    for act in outstanding([call.key]):
        return vars(_make(call, act))
    return receipt(call.key)


def _make(call: Call, act: Act) -> http.Answer:
    if act.attempt is not None and act.attempt.sandbox:
        return _played(call, act)
    try:
        connection = http.connected(call.target)
    except NotCallable as error:
        act.refuse(code=None, reply=error.message)
        raise
    headers = headers_of(call, str(act.id), int(time.time()))
    try:
        with traces.step("call"):
            answer = http.exchange(connection, http.Request(call.method, call.target, headers, call.body), act.mark)
    except http.NoReply:
        act.settle(EffectState.UNKNOWN)
        raise Transient("The service had the request and gave no answer.") from None
    finally:
        connection.close()
    answer = blotted(answer, call.secrets)
    _settle(call, act, answer)
    return answer


def _played(call: Call, act: Act) -> http.Answer:
    """In the sandbox nothing leaves, not even the question where the service is: it counts as having agreed."""
    status = call.expected or HTTPStatus.OK.value
    act.mark()
    act.settle(EffectState.DONE, code=status, reply=PLAYED)
    return http.Answer(status, {}, "", truncated=False, seconds=0.0)


def _settle(call: Call, act: Act, answer: http.Answer) -> None:
    """Write the receipt. Raises Transient or Permanent, with the answer, for one that was not expected."""
    facts: dict[str, Any] = {"code": answer.status, "reply": (answer.body or "")[:1000]}
    if call.met_by(answer.status):
        act.settle(EffectState.DONE, **facts)
        return
    sentence = f"The service answered {named(answer.status)}."
    if answer.status in LATER or answer.status >= 500:
        act.settle(EffectState.PENDING, **facts)
        wait = wait_of(answer.headers.get("retry-after", ""), datetime.now(UTC))
        raise Transient(sentence, retry_after=wait, result=vars(answer))
    act.settle(EffectState.REFUSED, **facts)
    raise Permanent(sentence, result=vars(answer))


def named(status: int) -> str:
    """`404 Not Found`; of a status that nobody registered, its number."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def headers_of(call: Call, message_id: str, moment: int) -> dict[str, str]:
    """The request's headers: the caller's, ours where the caller has none, and those of Standard Webhooks."""
    given = {name.lower() for name in call.headers}
    ours = {"User-Agent": f"webapi/{VERSION}"}
    headers = {name: value for name, value in ours.items() if name.lower() not in given} | dict(call.headers)
    headers |= {"webhook-id": message_id, "webhook-timestamp": str(moment)}
    if secret := current_app.config["CALL_SECRET"]:
        headers["webhook-signature"] = signature(secret, message_id, moment, call.body or b"")
    return headers


def signature(secret: str, message_id: str, moment: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body` under the key in `whsec_<base64>`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{moment}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def wait_of(value: str, now: datetime) -> float | None:
    """The seconds that a Retry-After asks for, as a number or as a date (RFC 9110 section 10.2.3); capped."""
    if SECONDS.fullmatch(value.strip()):
        return min(float(value), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    left = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(left, 0.0), LONGEST_WAIT)
