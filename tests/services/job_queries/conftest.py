"""What the tests of the language stand on: the declared kinds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.conftest import BASE
from webapi import create_app


@pytest.fixture(scope="module")
def declared() -> Iterator[Flask]:
    """The context of an app whose database nobody reads."""
    app: Flask = create_app({**BASE, "DATABASE_URL": "sqlite://"})
    with app.app_context():
        yield app
