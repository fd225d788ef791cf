"""Where a call may go: what a URL means, and which addresses are nobody's to reach through us.

One parser (the WHATWG URL standard's, pydantic's own) says what a URL means, and only its parts are used, so that no
second reading of the same text can differ. The decision is made on the addresses that the name has now, on all of
them; the caller connects to one of those and does not ask again.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from flask import current_app
from pydantic import ValidationError
from pydantic_core import Url

from webapi.errors import Permanent, Transient

MOST_ADDRESSES = 64  # of one name; more is no service
UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029]")
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})*")
UNICAST = ip_network("2000::/3")  # the only IPv6 that is routed; leaves out mapped, ::/96 and NAT64 64:ff9b::/96
RESERVED = tuple(
    ip_network(each)
    for each in (
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # Azure's host, seen from its guests
        "2002::/16",  # 6to4: holds any IPv4 address
        "2001::/23",  # Teredo and other protocols
        "3fff::/20",  # documentation
    )
)


NOT_PUBLIC = "This host is in a private or reserved network, which this server does not call."


class NotCallable(Permanent):
    """This address is not one that may be called."""

    code = "not_callable"


@dataclass(frozen=True)
class Target:
    """The parts of a URL. `host` is lower case, IDNA, an IPv6 address without its brackets; `path` holds the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """`host:port`, as CALL_PRIVATE names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def netloc(self) -> str:
        """The value of the Host header: the port is left out when it is the scheme's own (RFC 9110 section 7.2)."""
        usual = {"http": 80, "https": 443}[self.scheme]
        return self.place.removesuffix(f":{usual}") if self.port == usual else self.place

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def parse(text: str) -> Target:
    """What a URL means. Raises ValueError with a sentence for what is no plain http or https URL."""
    if UNSEEN.search(text):
        raise ValueError("a URL holds no spaces, line breaks, control characters or backslashes")
    try:
        url = Url(text)
    except (ValidationError, ValueError) as error:
        raise ValueError("this is not a URL") from error
    if url.scheme not in {"http", "https"}:
        raise ValueError("use an http:// or https:// URL")
    if url.username is not None or url.password is not None or "@" in text.partition("//")[2].partition("/")[0]:
        raise ValueError("leave the user and the password out of the URL; use a header")
    host = (url.host or "").removeprefix("[").removesuffix("]")
    if not host or (":" not in host and not NAME.fullmatch(host)):
        raise ValueError("this is not the name or the address of a host")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return Target(url.scheme, host, url.port or 0, path)


def checked(text: str, longest: int) -> str:
    """The canonical form of a URL that may be called, as far as it can be told without asking for its addresses.

    Raises ValueError with a sentence.
    """
    target = parse(text)
    if len(target.url) > longest:
        raise ValueError(f"use a URL of at most {longest} characters")
    try:
        _allow_port(target)
        ip = ip_address(target.host)
    except NotCallable as error:
        raise ValueError(error.message) from None
    except ValueError:
        return target.url  # a name
    if target.place not in current_app.config["CALL_PRIVATE"] and not public(str(ip)):
        raise ValueError(NOT_PUBLIC)
    return target.url


def addresses(target: Target) -> list[str]:
    """The addresses of a target that may be called, all of them checked, in the resolver's order.

    Raises NotCallable when its port is not configured or any of its addresses is not public, Transient when its
    name cannot be resolved now. What CALL_PRIVATE names may be anywhere.
    """
    _allow_port(target)
    found = _resolve(target)
    if target.place not in current_app.config["CALL_PRIVATE"] and not all(public(each) for each in found):
        raise NotCallable(NOT_PUBLIC)
    return found


def _allow_port(target: Target) -> None:
    config = current_app.config
    if target.place not in config["CALL_PRIVATE"] and target.port not in {80, 443, *config["CALL_PORTS"]}:
        raise NotCallable(f"Port {target.port} is not one that this server calls.")


def public(address: str) -> bool:
    """Whether an IP address is an ordinary one of the public network (IANA's special-purpose registries)."""
    ip = ip_address(address)
    if ip.is_multicast or not ip.is_global or any(ip in each for each in RESERVED):
        return False
    return not isinstance(ip, IPv6Address) or (ip in UNICAST and ip.scope_id is None)


def _resolve(target: Target) -> list[str]:
    try:
        # As bytes, so that Python does not encode the name a second time.
        answers = socket.getaddrinfo(target.host.encode("ascii"), target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Transient("The name of the service cannot be resolved.") from error
    found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not found or len(found) > MOST_ADDRESSES:
        raise NotCallable("The name of the service has no usable addresses.")
    return found
