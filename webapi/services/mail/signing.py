"""DKIM signatures (RFC 6376), when a key is configured. The extra `dkim` brings the library."""

from __future__ import annotations

from importlib import import_module

from flask import current_app

from webapi.errors import ConfigError

# RFC 6376 section 5.4.1, and RFC 8058 section 4 for the last two. A header that is not there is signed as absent.
SIGNED = b"from to subject date message-id reply-to mime-version content-type list-unsubscribe list-unsubscribe-post"


def signed(message: bytes, domain: str) -> bytes:
    """The message with a signature for its sender's domain; as it is without a key. Raises ConfigError."""
    key: str | None = current_app.config["DKIM_KEY"]
    if not key:
        return message
    try:
        dkim = import_module("dkim")  # with a resolver that nobody else needs
    except ImportError:
        raise ConfigError("DKIM_KEY is set, and the library is not installed: pip install 'webapi[dkim]'.") from None
    try:
        header: bytes = dkim.sign(
            message,
            current_app.config["DKIM_SELECTOR"].encode(),
            domain.encode(),
            key.encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=SIGNED.split(),
        )
    except (dkim.DKIMException, ValueError) as error:
        raise ConfigError("DKIM_KEY is no private RSA key in PEM form.") from error
    return header + message
