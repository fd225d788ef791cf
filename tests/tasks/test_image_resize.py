"""What `image.resize` takes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from webapi.queue.job import DECLARATION
from webapi.tasks.image_resize import Picture, resize_image

FILE = "01900000-0000-7000-8000-000000000000"


def test_little_has_to_be_said() -> None:
    picture = Picture.model_validate({"file": FILE, "sizes": ["800x600", {"width": 100}]})
    assert picture.sizes == ["800x600", "100x"]
    assert (picture.mode, picture.format, picture.quality, picture.enlarge) == ("fit", "keep", 82, False)


@pytest.mark.parametrize(
    "given",
    [
        {"sizes": []},
        {"sizes": ["1x1"] * 21},
        {"sizes": ["0x0"]},
        {"sizes": "800x600"},
        {"mode": "stretch"},
        {"format": "gif"},
        {"format": "tiff"},
        {"quality": 0},
        {"quality": 101},
        {"background": "white"},
        {"background": "#fff\n"},
        {"file": "photo.jpg"},
        {"limits": {"pixels": 1e12}},
        {"folder": "/etc"},
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Picture.model_validate({"file": FILE, "sizes": ["800x600"]} | given)


def test_the_child_is_over_before_the_job_is() -> None:
    """A picture that takes too long fails with a sentence about it, not at the job's own limit."""
    kind = getattr(resize_image, DECLARATION)
    assert kind.soft_time_limit > 185
