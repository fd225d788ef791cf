from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from webapi.queue import Retry, job
from webapi.services.images.resizing import Format, Mode, Wanted, resize
from webapi.services.images.sizes import Size
from webapi.services.storage import UploadId


class Picture(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"file": "01930000-0000-7000-8000-000000000001", "sizes": ["1600x", "800x600"]}]
        },
    )

    file: UploadId = Field(description="JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP.")
    sizes: list[Size] = Field(
        min_length=1,
        max_length=20,
        description="One a line: 800x600, or one side (800x, x600) and the other keeps the ratio.",
        examples=[["1600x", "800x600"]],
    )
    mode: Mode = Field("fit", description="Stay within the size, cover it and lose the edges, or take it exactly.")
    format: Format = "keep"
    quality: int = Field(82, ge=1, le=100, description="Of JPEG, WebP and AVIF.")
    background: str = Field(
        "#ffffff", pattern=r"^#[0-9a-fA-F]{6}$", description="Stands behind what is transparent in a JPEG."
    )
    enlarge: bool = Field(False, description="Also make a small picture larger.")


@job("image.resize", queue="reports", retry=Retry(on=(OSError,)), public=True)
def resize_image(picture: Picture) -> dict[str, Any]:
    """Resize a picture: all sizes in one pass, upright, in sRGB and without metadata."""
    options = picture.model_dump(exclude={"file"})
    return resize(picture.file, Wanted(**options))
