"""Apps for tests in a fifth of the time.

Nearly all of making an app is Werkzeug's compiling of the functions that build URLs, two a route. They come from the
rule alone and take everything else from the rule they are bound to, so apps of one process can share them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

_compile = Rule._compile_builder
_compiled: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}


def _shared(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    key = (rule.rule, repr(rule.defaults), rule.subdomain, rule.host, append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


def install() -> None:
    """Let the apps that this process makes from now on share them."""
    Rule._compile_builder = _shared  # type: ignore[method-assign,assignment]
