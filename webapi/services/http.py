"""HTTP with the moment of no return in view: connected, then a callback, then the request.

From the callback to the end of the answer no more than `answer_limit()` seconds and `GRACE` pass, however slowly
the other side drips. Redirects are not followed, no proxy is used, nothing is decompressed.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from webapi.errors import Transient
from webapi.failpoints import failpoint
from webapi.queue.acts import answer_limit
from webapi.services.targets import Target, addresses

CONNECT_TIMEOUT = 10.0  # seconds, for all addresses together
GRACE = 0.5  # seconds for an answer that pours to be seen to end
KEPT = 64 * 1024  # bytes of an answer's body
SHOWN = ("content-type", "content-encoding", "location", "etag", "last-modified", "retry-after", "x-request-id")
FAILED = (OSError, HTTPException, HTTPError)


@dataclass(frozen=True)
class Request:
    """What is written once the connection stands. A host header is made from the target."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What came back. `body` is None when it is compressed; `truncated` says that there was more."""

    status: int
    headers: dict[str, str]
    body: str | None
    truncated: bool
    seconds: float


class NoReply(Exception):
    """The request was written, at least in part, and no answer came: nobody can know whether it was done."""


def connected(target: Target) -> HTTPConnection:
    """A connection to one of the target's checked addresses, TLS included; nothing of a request is sent.

    Raises NotCallable, and Transient when no address can be reached or TLS fails.
    """
    end = time.monotonic() + CONNECT_TIMEOUT
    reason: BaseException = TimeoutError("timed out")
    for address in addresses(target):
        if (left := end - time.monotonic()) <= 0:
            break
        connection = _connection(target, address, left)
        try:
            connection.connect()
        except FAILED as error:
            connection.close()
            reason = error.__cause__ or error
        else:
            connection.auto_open = 0  # one that is lost is not opened again behind our back
            connection.timeout = answer_limit()
            return connection
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise Transient(f"The service's certificate is not valid: {reason.verify_message}.")
    raise Transient(f"The service cannot be reached: {getattr(reason, 'strerror', None) or type(reason).__name__}.")


def _connection(target: Target, address: str, seconds: float) -> HTTPConnection:
    """To the address: the name is for TLS alone (SNI and the certificate), so that nobody resolves it again."""
    if target.scheme == "http":
        return HTTPConnection(address, target.port, timeout=seconds)
    return HTTPSConnection(
        address, target.port, timeout=seconds, server_hostname=target.host, ssl_context=ssl.create_default_context()
    )


def exchange(connection: HTTPConnection, request: Request, before: Callable[[], None]) -> Answer:
    """Call `before`, write the request, read the answer. The status is the answer; what follows it may break off.

    Raises NoReply, and whatever `before` raises: then nothing is sent.
    """
    begun = time.monotonic()
    headers = {"Host": request.target.netloc, "Accept-Encoding": "identity", **request.headers}
    with _at_most(answer_limit(), connection) as clock:
        before()
        # A service may answer and hang up before it has read all of the request. Then its answer counts.
        with suppress(OSError):
            connection.request(request.method, request.target.path, request.body, headers, preload_content=False)
        clock.written.set()
        failpoint("E2")
        try:
            response = connection.getresponse()
        except FAILED as error:
            raise NoReply from error
        raw, cut = _first(response)
        cut = cut or len(raw) > KEPT or clock.over.is_set()
    shown = {name: _storable(response.headers[name][:1000]) for name in SHOWN if name in response.headers}
    packed = response.headers.get("content-encoding", "identity").lower() != "identity"
    text = None if packed else _storable(raw[:KEPT].decode("utf-8", "replace"))
    return Answer(response.status, shown, text, cut, round(time.monotonic() - begun, 3))


def _storable(text: str) -> str:
    """Text without NUL, which no database takes."""
    return text.replace("\0", "\ufffd")


def _first(response: BaseHTTPResponse) -> tuple[bytes, bool]:
    """The beginning of the body, and whether it broke off. The status is known by now, so that this fails nothing."""
    kept = b""
    try:
        while len(kept) <= KEPT and (part := response.read1(KEPT + 1 - len(kept), decode_content=False)):
            kept += part
    except FAILED:
        return kept, True
    return kept, False


@dataclass(frozen=True)
class _Clock:
    """Whether the request is written, whether time is over, and whether nobody reads the answer any more."""

    written: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def _at_most(seconds: float, connection: HTTPConnection) -> Iterator[_Clock]:
    """End it after `seconds` in all: a timeout for each read alone would let a server drip for ever.

    First it is as if the answer ended there. To hang up would make the server's next byte reset the connection, and
    the status line that came before it would be lost. Who pours so fast that the end is never seen is hung up on.
    """
    clock, sock = _Clock(), connection.sock
    assert sock is not None

    def end() -> None:
        clock.over.set()
        with suppress(OSError):  # it may be closed by now
            if clock.written.is_set():
                socket.socket.shutdown(sock, socket.SHUT_RD)  # below TLS, whose own good-bye could block
                if clock.left.wait(GRACE):
                    return
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield clock
    finally:
        clock.left.set()
        timer.cancel()
