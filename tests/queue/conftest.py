"""What the tests of single parts of the queue stand on. They run attempts in their own process."""

from tests.queue.attempts import attempt
from tests.queue.ground import ground, owner, owner_alone

__all__ = ["attempt", "ground", "owner", "owner_alone"]
