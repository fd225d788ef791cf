"""Blotting out: a secret in a text is replaced before anybody keeps the text, however it is spelt."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

SHORTEST = 6  # characters; a shorter secret is found in any text, and guards nothing
LEAST_PART = 4  # characters of a secret at which the end of a text was cut
BLOT = "…"
STARS = "***"
ESCAPED = ("<>&'", "<>&'+", "<>&'+/=")  # by some writers of JSON, although they need not
OURS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "MAIL_PASSWORD", "CALL_SECRET", "DKIM_KEY")
PLACES = ("DATABASE_URL", "REDIS_URL", "REDIS_URLS", "REPORT_SOURCES")  # whose URLs may have a password
NAMES = (
    r"[\w.-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|authorization|"
    r"credential|signature|session|cookie)[\w-]*"
)
# What looks like a secret, whoever's it is. A group is what stays.
LOOKS = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)()",
        r"([a-z][a-z0-9+.-]*://)[^\s/?#@'\"]*(?=@)",
        r"()\b(?:wapi_(?:live|test)_[0-9a-f]{12}_|whsec_|gh[pousr]_|xox[abprs]-|sk_(?:live|test)_)[\w+/=-]{8,}",
        r"()\bey[jJ][\w-]{8,}\.[\w-]{8,}\.[\w-]*",
        r"()\bgAAAA[\w=-]{40,}",
        r"()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\b((?:Bearer|Basic|Token)\s+)[\w.~+/=:-]{6,}",
        rf"\b({NAMES}['\"]?\s*[=:]\s*b?['\"])(?!\*\*\*)[^'\"]+",
        rf"\b({NAMES}['\"]?\s*[=:]\s*)(?!\*\*\*|b?['\"]|(?:Bearer|Basic|Token)\b)[^\s&,;'\"}})\]]+",
        r"([?&](?:key|sig|code|auth|pass|pw|jwt|t)=)(?!\*\*\*)[^\s&#'\"]+",
    )
]


def without_secrets(text: str, words: Sequence[str], *, cut: bool = False) -> str:
    """The text without `words` (see `spellings`) and without what looks like a secret.

    `cut` says that its end is missing, and that half a secret may stand there.
    """
    text = blotted(text, words, STARS, cut=cut)
    for look in LOOKS:
        text = look.sub(rf"\g<1>{STARS}", text)
    return text


def blotted(text: str, words: Sequence[str], blot: str = BLOT, *, cut: bool = True) -> str:
    for word in words:
        text = text.replace(word, blot)
    for word in words if cut else ():
        for length in range(min(len(word), len(text)), LEAST_PART - 1, -1):
            if text.endswith(word[:length]):
                return text[:-length] + blot
    return text


def spellings(secrets: Iterable[str]) -> list[str]:
    """Each secret and its parts (`Bearer <token>`, `a=1; session=<token>`), as JSON, HTML and URLs write them.

    The longest come first.
    """
    parts = {part for secret in secrets for part in (secret, *_parts(secret)) if len(part) >= SHORTEST}
    return sorted({word for part in parts for word in _written(part)}, key=len, reverse=True)


def configured(config: Mapping[str, Any]) -> list[str]:
    """The secrets of this program's own configuration."""
    found = [each for name in OURS for each in _leaves(config.get(name))]
    for url in (each for name in PLACES for each in _leaves(config.get(name))):
        parts = urlsplit(url)
        found += [unquote(password) for password in (parts.password,) if password]
        found += parse_qs(parts.query).get("sentinel_password", [])
    return found


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each]


def _parts(secret: str) -> list[str]:
    pairs = re.split(r"[;,]\s*", secret)
    return [part for pair in pairs for part in (pair, pair.rpartition(" ")[2], pair.partition("=")[2])]


def _written(part: str) -> set[str]:
    plain = json.dumps(part)[1:-1]
    careful = {_escaped(plain, letters, digits) for letters in ESCAPED for digits in ("04x", "04X")}
    return {part, plain, plain.replace("/", "\\/"), *careful, html.escape(part), quote(part, safe="")}


def _escaped(text: str, letters: str, digits: str) -> str:
    return "".join(f"\\u{ord(letter):{digits}}" if letter in letters else letter for letter in text)
