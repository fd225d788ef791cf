"""What the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contracts.source import ROOT

NAMED = re.compile(r"`((?:tests|webapi|benchmarks|migrations)/[\w/]+\.(?:py|md|html|css|js))`")
LINKED = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")
TO_BE_WRITTEN = {"webapi/tasks/invoice_render.py"}  # by a newcomer who follows CONTRIBUTING.md
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
        *(ROOT / "deploy").rglob("*.md"),
    ]
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_a_document_names_are_there(document: Path) -> None:
    text = document.read_text()
    missing = [name for name in NAMED.findall(text) if name not in TO_BE_WRITTEN and not (ROOT / name).exists()]
    missing += [name for name in LINKED.findall(text) if not (document.parent / name).exists()]
    assert not missing, f"{document.name} names what is not there: {missing}"
