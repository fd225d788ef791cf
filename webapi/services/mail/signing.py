"""DKIM signatures (RFC 6376), when a key is configured. The extra `dkim` brings the library."""

from __future__ import annotations

from flask import current_app

from webapi.errors import ConfigError

try:
    import dkim
except ImportError:  # an extra
    dkim = None

# RFC 6376 section 5.4.1, and RFC 8058 section 4 for the last two. A header that is not there is signed as absent.
SIGNED = b"from to subject date message-id reply-to mime-version content-type list-unsubscribe list-unsubscribe-post"


def signed(message: bytes, domain: str) -> bytes:
    """The message with a signature for its sender's domain; as it is without a key. Raises ConfigError."""
    key: str | None = current_app.config["DKIM_KEY"]
    if not key:
        return message
    if dkim is None:
        raise ConfigError("DKIM_KEY is set, and the library is not installed: pip install 'webapi[dkim]'.")
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
