"""A list in one parameter comes out as it went in, on either database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from tests.queue.rows import add_owner
from tests.services.system.crowd import plans, statements
from webapi.extensions import db
from webapi.models import User
from webapi.models.lists import among, given

pytestmark = pytest.mark.usefixtures("context")
AWKWARD = ['{"a": "b\\"\\\\c"}', "null", "{", "},{", "a,b", "", " ", "NULL", "é😀", "line\nbreak"]


def rows(ids: list[UUID], attempts: list[int], documents: list[str]) -> list[tuple[UUID, int, str | None]]:
    found = given(db.engine.dialect.name)
    query = select(found.c.id, found.c.attempt, found.c.document)
    parameters = {"ids": ids, "attempts": attempts, "documents": documents}
    return [(UUID(str(row.id)), row.attempt, row.document) for row in db.session.execute(query, parameters)]


def test_rows_of_texts_come_out_to_the_letter_and_in_order() -> None:
    ids = [uuid7() for _ in AWKWARD]
    assert rows(ids, list(range(len(ids))), AWKWARD) == list(zip(ids, range(len(ids)), AWKWARD, strict=True))


def test_columns_that_nobody_gives_are_empty() -> None:
    one = uuid7()
    assert rows([one], [3], []) == [(one, 3, None)]
    assert rows([], [], []) == []


def test_an_id_is_found_among_others_by_its_index() -> None:
    one, two, three = (add_owner(uuid7(), f"{number}@example.com").id for number in range(3))
    query, asked = select(User.id).where(among(User.__table__.c.id, "ids")), list[tuple[str, Any]]()
    with statements(asked):
        assert set(db.session.scalars(query, {"ids": [one, three]})) == {one, three}
        assert list(db.session.scalars(query, {"ids": []})) == []
    assert two not in db.session.scalars(query, {"ids": [one, three]})
    if db.engine.dialect.name == "sqlite":  # PostgreSQL reads a table of three rows whole, whatever its indexes
        assert all("SEARCH users USING" in plan for plan in plans(asked)), plans(asked)
