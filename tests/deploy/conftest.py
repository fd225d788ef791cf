"""What the tests of the manifests stand on."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import BASE
from tests.deploy.manifests import Rendered
from webapi import create_app


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The manifests in every combination, rendered when asked for."""
    return Rendered(tmp_path_factory.mktemp("deploy"))


@pytest.fixture(scope="session")
def product() -> Flask:
    """The app, for what it declares: kinds, queues, addresses."""
    made: Flask = create_app(BASE)
    return made
