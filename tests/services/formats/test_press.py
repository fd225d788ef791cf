"""The program that sets a PDF keeps to PDF/UA where it can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import pytest
from pypdf import PdfReader

from webapi.services.formats.press import press

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")


@pytest.mark.parametrize(("fonts", "accessible"), [(FONTS, True), (None, False)])
def test_a_letter_without_a_font_costs_the_standard_and_not_the_file(
    tmp_path: Path, fonts: Path | None, accessible: bool
) -> None:
    (tmp_path / "report.typ").write_text('#set document(title: "T")\n#"\U0010fffd"', "utf-8")
    press(tmp_path, fonts or tmp_path, 86_400)
    reader = PdfReader(tmp_path / "report.pdf")
    root: Any = reader.trailer["/Root"]
    assert (b"pdfuaid" in root["/Metadata"].get_object().get_data()) == accessible
    assert reader.metadata is not None
    assert str(reader.metadata.creation_date) == "1970-01-02 00:00:00+00:00"
