"""Which databases a test is run on when both would take too long for every change."""

from __future__ import annotations

import pytest

# For what takes many seconds and does not depend on the database: SQLite has its turn in `make soak`.
SQLITE_IN_THE_SOAK = pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=pytest.mark.soak), "postgresql"], indirect=True
)
