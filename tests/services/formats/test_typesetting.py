"""The child that sets a PDF does so under its limits, hears a cancel, and leaves nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pypdf import PdfReader

from tests.processes import python_children
from webapi.errors import Permanent
from webapi.services.formats.typesetting import LOOK, typeset

ENDLESS = "#for i in range(10000) { for j in range(10000) { let _ = calc.rem(i, 7) } }"
GREEDY = "#let a = (1,) * 1000\n#let b = ()\n#for i in range(100000) { b.push(a.map(x => x + i)) }\n#b.len()"


def folder(tmp_path: Path, text: str) -> Path:
    (tmp_path / "report.typ").write_text(text, "utf-8")
    return tmp_path


def still() -> None:
    return None


def stopped_by_nobody(times: int) -> Callable[[], None]:
    left = iter(range(times))

    def tick() -> None:
        if next(left, None) is None:
            raise InterruptedError

    return tick


def test_a_text_becomes_a_pdf(tmp_path: Path) -> None:
    path = typeset(folder(tmp_path, '#set document(title: "T")\nHello'), 0, still)
    assert PdfReader(path).pages[0].extract_text() == "Hello"


def test_what_a_tick_raises_ends_the_child_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(InterruptedError):
        typeset(folder(tmp_path, ENDLESS), 0, stopped_by_nobody(4))
    assert time.monotonic() - began < 4 * LOOK + 2
    assert not python_children()


@pytest.mark.parametrize(
    ("text", "limits", "sentence"),
    [
        (ENDLESS, {"cpu": 1}, "takes longer to set"),
        (GREEDY, {"memory": 600 << 20}, "more memory than there is"),
        ("#panic()", {}, "could not be set"),
    ],
)
def test_a_text_that_cannot_be_set_is_a_sentence(
    tmp_path: Path, text: str, limits: dict[str, int], sentence: str
) -> None:
    with pytest.raises(Permanent, match=sentence):
        typeset(folder(tmp_path, text), 0, still, **limits)
    assert not python_children()


def test_the_child_has_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for it")
    seen: list[dict[str, str]] = []

    def look() -> None:
        for child in psutil.Process(os.getpid()).children():
            if (environment := child.environ()) and "press.py" in " ".join(child.cmdline()):
                seen.append(environment)
                raise InterruptedError

    with pytest.raises(InterruptedError):
        typeset(folder(tmp_path, ENDLESS), 0, look)
    assert seen == [{"LC_ALL": "C.UTF-8"}]


def test_a_child_whose_parent_is_another_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as if the one who asked had died before
    with pytest.raises(Permanent, match="could not be set"):
        typeset(folder(tmp_path, "Hello"), 0, still)
    assert not (tmp_path / "report.pdf").exists()
