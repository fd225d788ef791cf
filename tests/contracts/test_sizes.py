"""A file holds one idea and a function fits on a screen."""

from __future__ import annotations

import ast

import pytest

from tests.contracts.source import modules, tree

MOST_LINES = 200
MOST_IN_FUNCTION = 40


@pytest.mark.parametrize("module", modules())
def test_a_file_has_at_most_200_lines(module: str) -> None:
    lines = len(modules()[module].read_text("utf-8").splitlines())
    assert lines <= MOST_LINES, f"{modules()[module]} has {lines} lines: it holds two ideas, split it"


@pytest.mark.parametrize("module", modules())
def test_a_function_has_at_most_40_lines(module: str) -> None:
    long = {
        node.name: length
        for node in ast.walk(tree(modules()[module]))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_IN_FUNCTION
    }
    assert not long, f"{modules()[module]}: {long} lines: give the steps names and split"
