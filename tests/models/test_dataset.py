"""The database itself knows what states a dataset can be in, and that its name is its owner's once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from tests.queue.ground import ground, owner
from tests.queue.rows import OWNER
from webapi.models import Dataset
from webapi.models.transaction import writing

__all__ = ["ground", "owner"]
pytestmark = pytest.mark.usefixtures("owner")


def put(**changes: Any) -> None:
    values = {
        "id": uuid4(), "owner_id": OWNER, "name": "sales", "file_name": "a.csv", "format": "csv",
        "sha256": "0" * 64, "size": 1,
    }  # fmt: skip
    with writing() as session:
        session.execute(insert(Dataset).values(values | changes))


def test_a_name_is_an_owners_once() -> None:
    put()
    with pytest.raises(IntegrityError):
        put()
    put(name="other")


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(IntegrityError):
        put(state="lost")
