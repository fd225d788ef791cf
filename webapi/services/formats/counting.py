"""What goes by on its way into a file, counted and added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from webapi.services.formats.table import NUMERIC, Column, Written

EXACT = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])  # double precision never needs more


class Counted:
    """`rows`, `totals`, `not_finite` and `incomplete` tell what went by.

    `totals` are exact to 2,000 digits. A float counts as the shortest decimal that stands for it, which is what
    the file shows. NaN and the infinities have no sum: `not_finite` counts them.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        incomplete: Callable[[], str | None] = lambda: None,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.columns = columns
        self.rows = 0
        self.totals = {column.name: Decimal(0) for column in columns if column.type in NUMERIC}
        self.not_finite = dict.fromkeys(self.totals, 0)
        self.incomplete: str | None = None  # why the source gave no more than it did
        self._incomplete, self._tick = incomplete, tick

    def tick(self) -> None:
        """Tell how many rows there are so far. May raise what is to end the writing."""
        self._tick(self.rows)

    def written(self, *reasons: str) -> Written:
        """What the file holds when the format left out something for these reasons."""
        whole = [*reasons, self.incomplete] if self.incomplete else reasons
        return Written(self.rows, self.totals, "; ".join(whole) or None, self.not_finite)

    def ended(self) -> None:
        """No more rows are taken."""
        self.incomplete = self._incomplete()
