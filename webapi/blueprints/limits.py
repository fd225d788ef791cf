"""How many requests a key, a person or an address may make, and the fields that say so.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-10
"""

from __future__ import annotations

import ipaddress

from flask import Flask, Response, current_app, g, request
from flask_login import current_user
from werkzeug.middleware.proxy_fix import ProxyFix

from webapi.errors import NotSignedIn, RateLimited
from webapi.extensions import pseudonym
from webapi.services import holders
from webapi.services.rates import WINDOW, Rates, Standing

BLOCK = 64  # bits of an IPv6 address that one customer has, as a rule
FREE = {"static", "health.alive", "health.ready", "metrics.show"}


def init_app(app: Flask) -> None:
    """Before anything reads the request."""
    app.extensions["rates"] = Rates(app)
    app.before_request(_admit)
    app.after_request(_tell)
    proxies: int = app.config["TRUSTED_PROXIES"]
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]


def _admit() -> None:
    """A key that has had enough is refused before anything is looked up; a false one counts for its address."""
    if request.endpoint in FREE:
        return
    each, of_an_address = current_app.config["REQUESTS_PER_MINUTE"], current_app.config["REQUESTS_PER_MINUTE_ADDRESS"]
    prefix = holders.prefix_of(request.headers.get("Authorization", ""))
    rates: Rates = current_app.extensions["rates"]
    if prefix and each:
        _stand(rates.look(pseudonym(f"key {prefix}"), each))
    try:
        known = current_user.is_authenticated
    except NotSignedIn:
        _hit(f"address {_address()}", of_an_address)
        raise
    if not known:
        _hit(f"address {_address()}", of_an_address)
    else:
        _hit(f"key {prefix}" if prefix else f"person {current_user.id}", each)


def _hit(who: str, limit: int) -> None:
    if limit:
        _stand(current_app.extensions["rates"].hit(pseudonym(who), limit))


def _stand(standing: Standing) -> None:
    g.standing = standing
    if standing.wait:
        raise RateLimited(standing.limit, standing.wait)


def _address() -> str:
    address = request.remote_addr or ""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], BLOCK), strict=False))
    except ValueError:
        return address


def _tell(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        response.headers["RateLimit-Policy"] = f'"minute";q={standing.limit};w={WINDOW:.0f}'
        response.headers["RateLimit"] = f'"minute";r={standing.left};t={standing.reset}'
    return response
