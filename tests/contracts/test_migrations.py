"""The migrations make what the models say, on both databases, there and back."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Boolean, CheckConstraint, Uuid, column, insert, inspect, select, text

from tests.contracts.source import ROOT
from tests.queue.rows import OWNER
from webapi.extensions import db
from webapi.models import ApiKey, Role, Scope, User
from webapi.models.columns import Moment, now
from webapi.services.mail import templates

pytestmark = pytest.mark.usefixtures("context")
# The SHA-256 of each migration that was released.
PINNED = {
    "0001": "394e3b796b9760db86ab163d204909e97dc1c9463492b83ba86521b35f3ab4a9",
    "0002": "b3c688f83a8eb17d89351decf094874282c7366c452e4dd00a76162d3c49b08b",
    "0003": "2dfe9ca35b32b59f28002d626bfb40a7a8f409c36c6dc008714b342e4543c42c",
    "0004": "d33f5f5941f4f8bd1ceece5a80cbc8652b2ccbdc78718474de5b0543e63f95d3",
    "0005": "901c83010c152a6550e580d6dcbc57437189ba74be53c17a00cccdb3f8353c29",
    "0006": "e89d5e2e121f771f8c63c4a5982ef97e61f6d869d2c3830d11046b0384d00a7d",
    "0007": "495c4f4f5f8db219daaa02212a0a20000f84a213dcfa6e9830811ccd97a787f6",
    "0008": "5ac6cf623db42873fccf600597af88384244f7bec957fa24aaf49674c3db8f37",
    "0009": "e6d825106a411237177f3d1b7a2c297509fe359dcd35b6d2a945890d06cbb622",
    "0010": "b6353619d59c1f6bc579142882477d3cdc62fb4e377d45d085470baab720b952",
    "0011": "d4373c07f56604a4b5722caf3190dcc904fad273b25728a48635669564e316e0",
    "0012": "3ae8ac73898f95ef2f38dfb07554edafa9bd5a7ea6984017a63845944b7410f6",
    "0013": "a4a91e5b1685cd9bf6c6ef9906f0115a22f0ef6977d91502ce2cfda2fe3fc5a4",
    "0014": "9833614d8e1ec8840483ceba320300c8cb7c9f0a6f21a9854d61bfed5d9c72c0",
    "0015": "d6e560c2633421c6ae61ad2816e7ffa5f78bfdc5e84febb5cf2e940a84eba6ec",
    "0016": "58e840ec286a057bb147b347d63d34e69c05b691f39976c8c84cad366b4f3265",
    "0017": "239ac7aea6966fffe58683c5f6231c242581a6d9d91301c66a6f26216b36b127",
}
REMEDY = 'the models and the migrations differ: make migrate NAME="what changes"'


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, db.metadata))


def test_the_migrations_make_what_the_models_say() -> None:
    assert differences() == [], REMEDY


def test_every_check_of_the_models_is_in_the_database() -> None:
    """Alembic does not compare these."""
    inspector = inspect(db.engine)
    for table in db.metadata.sorted_tables:
        checks = {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
        assert {each["name"] for each in inspector.get_check_constraints(table.name)} == checks, REMEDY


def test_down_and_up_again_is_where_it_began(app: Flask) -> None:
    downgrade(revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade()
    assert differences() == []


def test_a_database_of_before_comes_to_the_same(app: Flask) -> None:
    """Somebody's rows are in it while it is changed."""
    downgrade(revision="0004")
    add_person(OWNER, "ada@example.com", is_admin=True)
    add_person(uuid4(), "eve@example.com", is_admin=False)
    template = "INSERT INTO templates (id, owner_id, name, version, created_at, changed_at)"
    owner = "SELECT id, id, 'invoice', 1, created_at, created_at FROM users WHERE is_admin"
    with db.engine.begin() as connection:
        connection.execute(text(f"{template} {owner}"))
    upgrade()
    assert differences() == []
    assert [row.name for row in templates.of(OWNER)] == ["invoice"]
    roles = {user.email: user.role for user in db.session.scalars(select(User))}
    assert roles == {"ada@example.com": Role.ADMINISTRATOR, "eve@example.com": Role.USER}
    assert [keys.allows(scope) for keys in db.session.scalars(select(ApiKey)) for scope in Scope] == [True] * 6


def add_person(person_id: UUID, email: str, *, is_admin: bool) -> None:
    """Somebody with a key, in the columns of the first migration."""
    users = sa.table("users", *map(column, ("email", "name", "password_hash", "session_epoch")), column("id", Uuid()),
                  column("is_admin", Boolean()), column("created_at", Moment()))  # fmt: skip
    owned = sa.table("api_keys", column("id", Uuid()), column("owner_id", Uuid()), column("created_at", Moment()),
                  *map(column, ("name", "prefix", "last_four", "secret_hash")))  # fmt: skip
    person = {"email": email, "name": "x", "password_hash": "x", "session_epoch": 0, "is_admin": is_admin}
    key = {"name": "x", "prefix": f"wapi_live_{person_id.hex[:12]}", "last_four": "x", "secret_hash": "x"}
    with db.engine.begin() as connection:
        connection.execute(insert(users).values(id=person_id, created_at=now(), **person))
        connection.execute(insert(owned).values(id=uuid4(), owner_id=person_id, created_at=now(), **key))


@pytest.mark.parametrize("revision", PINNED)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migration_that_somebody_has_run_is_never_changed(revision: str) -> None:
    (path,) = (ROOT / "migrations" / "versions").glob(f"{revision}_*.py")
    same = hashlib.sha256(path.read_bytes()).hexdigest() == PINNED[revision]
    assert same, f"{path.name} was released: databases that ran it stay behind, so write a new one instead"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_migration_but_the_newest_is_pinned(app: Flask) -> None:
    revisions = [each.revision for each in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()]
    assert set(revisions[1:]) <= PINNED.keys(), "pin a migration with its SHA-256 when the next one is written"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_migrations_are_one_line_and_each_says_what_it_does(app: Flask) -> None:
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    revisions = list(scripts.walk_revisions())
    assert len(scripts.get_heads()) == 1, "two migrations follow the same one: give the younger the other as its parent"
    assert all((each.doc or "").strip() for each in revisions)
