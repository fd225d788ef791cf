"""The environment is read in one place."""

from __future__ import annotations

import ast

import pytest

from tests.contracts.source import modules, tree
from webapi.config import Settings

NAMES = {"environ", "environb", "getenv", "getenvb", "putenv"}


@pytest.mark.parametrize("module", [each for each in modules() if each != "webapi.config"])
def test_only_the_configuration_reads_the_environment(module: str) -> None:
    read = []
    for node in ast.walk(tree(modules()[module])):
        if isinstance(node, ast.Attribute) and node.attr in NAMES and ast.unparse(node.value) == "os":
            read.append(node.lineno)
        if isinstance(node, ast.ImportFrom) and node.module == "os" and {each.name for each in node.names} & NAMES:
            read.append(node.lineno)
    assert not read, f"{module} reads the environment in lines {read}: make it a field of webapi.config.Settings"


EXAMPLE = modules()["webapi"].parents[1] / ".env.example"


def test_the_example_names_every_setting_and_no_other() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    named = {line.lstrip("# ").partition("=")[0] for line in lines if "=" in line and line.lstrip("# ")[:1].isupper()}
    missing, unknown = Settings.model_fields.keys() - named, named - Settings.model_fields.keys()
    assert not missing, f".env.example does not explain {sorted(missing)}"
    assert not unknown, f".env.example explains {sorted(unknown)}, which Settings does not have"
