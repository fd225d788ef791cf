"""What the tests of the doors stand on."""

from tests.blueprints.site import browser, site, visitor

__all__ = ["browser", "site", "visitor"]
