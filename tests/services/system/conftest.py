"""What the tests of the system page's services stand on."""

from tests.queue.ground import owner_alone

__all__ = ["owner_alone"]
