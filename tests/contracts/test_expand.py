"""Migrations that run beside the program of before: they add, and what they take away nobody has used since a release.

The old program works on while the new tables come (`docs/operations.md`). So no migration breaks it, and none holds a
lock for as long as a table is large. A migration that takes something away says since which one nothing uses it:
`contracts = "0015"`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.source import ROOT
from tests.contracts.test_migrations import PINNED

FROZEN = "0014"  # the last one from before this rule
MIGRATIONS = sorted(path for path in (ROOT / "migrations" / "versions").glob("*.py") if path.name[:4] > FROZEN)
TAKES_AWAY = {"drop_table", "drop_column", "rename_table", "drop_constraint"}
LOCKS = {"create_unique_constraint", "create_check_constraint", "create_foreign_key", "create_primary_key"}
BESIDE = {"create_index", "drop_index", "autocommit_block", "get_context"}


def faults(source: str) -> list[str]:
    """What of a migration's `upgrade` would break or stop the program of before."""
    module = ast.parse(source)
    upgrade = next(node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    made = {_text(call.args[0]) for call in _calls(upgrade, "create_table") if call.args}
    contracts = _constant(module, "contracts")
    found = [fault for call in _all(upgrade) for fault in _faults(call, made, contracts)]
    if _calls(upgrade, "autocommit_block") and {_name(call) for call in _all(upgrade)} - BESIDE:
        found.append("an autocommit_block commits what came before it: give its indexes a migration of their own")
    if contracts is not None and contracts not in PINNED:
        found.append(f"contracts names {contracts}, which is in no release")
    return found


def _faults(call: ast.Call, made: set[str], contracts: str | None) -> Iterator[str]:
    name, words = _name(call), {each.arg: each.value for each in call.keywords}
    if name in TAKES_AWAY and contracts is None:
        yield f"{name}: stop using it in one release, take it away in the next, and say so with contracts"
    if name == "alter_column":
        yield "alter_column: add a new column, write both, and take the old one away in a later release"
    if name in LOCKS and _table(call) not in made:
        yield f"{name}: it reads the whole table under a lock; add it NOT VALID, and validate it in the next"
    if name == "add_column" and _is_demanding(call):
        yield "add_column: the program of before inserts rows without it: make it nullable or give a server_default"
    if name == "create_index" and _table(call) not in made and not _concurrent(words):
        yield "create_index: it stops all writers: postgresql_concurrently=True, and if_not_exists=True"


def _is_demanding(call: ast.Call) -> bool:
    column = next((each for each in ast.walk(call) if isinstance(each, ast.Call) and _name(each) == "Column"), None)
    words = {each.arg: ast.unparse(each.value) for each in column.keywords} if column else {}
    return words.get("nullable") == "False" and "server_default" not in words


def _concurrent(words: dict[str | None, ast.expr]) -> bool:
    return {"postgresql_concurrently", "if_not_exists"} <= words.keys()


def _all(upgrade: ast.FunctionDef) -> list[ast.Call]:
    """The calls `op.…(…)`, but those that only SQLite comes to."""
    only_sqlite = {
        id(node)
        for branch in ast.walk(upgrade)
        if isinstance(branch, ast.If) and "postgresql" in ast.unparse(branch.test)
        for statement in branch.orelse
        for node in ast.walk(statement)
    }
    calls = [each for each in ast.walk(upgrade) if isinstance(each, ast.Call) and id(each) not in only_sqlite]
    return [each for each in calls if ast.unparse(each.func).startswith("op.") and _name(each) != "get_bind"]


def _calls(upgrade: ast.FunctionDef, name: str) -> list[ast.Call]:
    return [each for each in ast.walk(upgrade) if isinstance(each, ast.Call) and _name(each) == name]


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _table(call: ast.Call) -> str:
    return _text(call.args[1]) if len(call.args) > 1 else ""


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)


def _constant(module: ast.Module, name: str) -> str | None:
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return _text(node.value)
    return None


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.name)
def test_the_program_of_before_works_on_while_a_migration_runs(path: Path) -> None:
    assert not faults(path.read_text("utf-8")), f"{path.name} breaks or stops what runs; see docs/operations.md"


def migration(*lines: str, contracts: str = "") -> str:
    return "\n".join([contracts, "def upgrade():", *(f"    {line}" for line in lines)])


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("jobs", "queue")',
        'op.drop_table("jobs")',
        'op.rename_table("jobs", "works")',
        'op.alter_column("jobs", "queue", new_column_name="line")',
        'op.alter_column("jobs", "queue", nullable=False)',
        'op.add_column("jobs", sa.Column("size", sa.Integer(), nullable=False))',
        'op.create_index("ix_jobs_size", "jobs", ["size"])',
        'op.create_check_constraint("size", "jobs", "size > 0")',
    ],
)
def test_what_would_break_it_is_seen(line: str) -> None:
    assert len(faults(migration(line))) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ('op.add_column("jobs", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))',),
        ('op.add_column("jobs", sa.Column("size", sa.Integer(), nullable=True))',),
        ('op.create_table("sizes", sa.Column("id", sa.Integer()))', 'op.create_index("ix_sizes", "sizes", ["id"])'),
        ('op.create_index("ix", "jobs", ["id"], postgresql_concurrently=True, if_not_exists=True)',),
    ],
)
def test_what_only_adds_is_well(lines: tuple[str, ...]) -> None:
    assert faults(migration(*lines)) == []


def test_what_nothing_uses_since_a_release_may_go() -> None:
    away = 'op.drop_column("jobs", "queue")'
    assert faults(migration(away, contracts='contracts = "0014"')) == []
    assert "in no release" in faults(migration(away, contracts='contracts = "0099"'))[0]


def test_indexes_that_are_built_beside_a_transaction_are_alone_in_their_migration() -> None:
    block = "with op.get_context().autocommit_block():"
    index = '    op.create_index("ix", "jobs", ["id"], postgresql_concurrently=True, if_not_exists=True)'
    column = 'op.add_column("jobs", sa.Column("size", sa.Integer(), nullable=True))'
    assert faults(migration(block, index)) == []
    assert "of their own" in faults(migration(column, block, index))[0]
