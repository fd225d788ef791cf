"""Reports that everybody has."""

from __future__ import annotations

import pytest

from webapi.services.queries.run import named
from webapi.services.reports.built_in import BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_it_reads_the_table_that_it_is_called_after(name: str) -> None:
    assert named(BUILT_IN[name].sql).tables == {name}
