"""A job's picture in other sizes, each a file of the job."""

from __future__ import annotations

import hashlib
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from webapi.queue import current, new_file
from webapi.queue.files import store
from webapi.services import storage
from webapi.services.images import running, sizes
from webapi.services.images.order import Order

Mode = Literal["fit", "cover", "exact"]
Format = Literal["keep", "jpeg", "png", "webp", "avif"]
MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "avif": "image/avif", "gif": "image/gif"}
SUFFIXES = {"jpeg": "jpg"}
LONGEST_STEM = 150  # bytes; a file system takes 255 for a whole name


@dataclass(frozen=True)
class Wanted:
    """What is to come out; sizes are written as in `sizes`."""

    sizes: list[str]
    mode: Mode = "fit"
    format: Format = "keep"
    quality: int = 82
    background: str = "#ffffff"
    enlarge: bool = False


def resize(upload_id: UUID, wanted: Wanted) -> dict[str, Any]:
    """Make every size of an uploaded picture a file of the current job. Raises Permanent with a sentence."""
    attempt = current()
    assert attempt is not None, "an upload belongs to the owner of a job"
    row = storage.upload(attempt.owner_id, upload_id)
    with tempfile.TemporaryDirectory(dir=store().staging(attempt.job_id, attempt.number)) as folder:
        path = store().local(row.sha256, Path(folder))
        parsed = [sizes.parse(size) for size in wanted.sizes]
        order = Order(**vars(wanted) | {"source": str(path), "folder": folder, "name": row.name, "sizes": parsed})
        drawn = running.in_child(order)
        made = [
            _publish(Path(folder) / str(number), row.name, drawn["format"], picture)
            for number, picture in enumerate(drawn["pictures"])
        ]
    images = [{"size": size} | made[number] for size, number in zip(wanted.sizes, drawn["of_sizes"], strict=True)]
    return {key: drawn[key] for key in ("source", "frames", "first_frame_only")} | {"images": images}


def _publish(drawn: Path, upload: str, format: str, picture: dict[str, int]) -> dict[str, Any]:  # noqa: A002 - its name
    if not stat.S_ISREG(drawn.lstat().st_mode):  # a link that something in the picture had the child make
        raise RuntimeError("The child process left something that is no file.")
    width, height = picture["width"], picture["height"]
    stem = Path(upload).stem.encode()[:LONGEST_STEM].decode(errors="ignore")
    name = f"{stem}-{width}x{height}.{SUFFIXES.get(format, format)}"
    with drawn.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    facts = {"name": name, "width": width, "height": height, "bytes": drawn.stat().st_size, "sha256": digest}
    drawn.replace(new_file(name, MEDIA_TYPES[format]))
    return facts
