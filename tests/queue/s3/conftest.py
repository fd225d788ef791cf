"""An app around what a store does, for its failpoints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import BASE
from webapi import create_app


@pytest.fixture(scope="module", autouse=True)
def _in_an_app() -> Iterator[None]:
    with create_app({**BASE, "DATABASE_URL": "sqlite://"}).app_context():
        yield
