"""Makes the clock of a whole Python process wrong by CLOCK_SHIFT seconds, before anything else is imported."""

import datetime
import os
import time
from datetime import datetime as _real

SHIFT = float(os.environ["CLOCK_SHIFT"])
_time = time.time


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real)


class _Shifted(_real, metaclass=_Kind):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return _real.now(tz) + datetime.timedelta(seconds=SHIFT)


def _shifted_time() -> float:
    return _time() + SHIFT


datetime.datetime = _Shifted  # type: ignore[misc]
time.time = _shifted_time
