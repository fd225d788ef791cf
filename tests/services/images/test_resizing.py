"""A job's picture in other sizes, each a file of the job."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from werkzeug.datastructures import MultiDict

from tests.queue.rows import OWNER, accept, artifacts, job
from tests.services.images.pictures import encoded, gif, photo
from webapi.blueprints import forms
from webapi.models import Artifact, Job, User
from webapi.queue import kind_named
from webapi.queue.files import store
from webapi.queue.run import work
from webapi.services import storage
from webapi.tasks.image_resize import Picture

pytestmark = pytest.mark.usefixtures("owner")


def resized(name: str, content: bytes, sizes: list[str], **options: Any) -> Job:
    kept = storage.receive(OWNER, name, "image/jpeg", BytesIO(content))
    job_id = accept("image.resize", Picture(file=kept.id, sizes=sizes, **options))
    work(kind_named("image.resize"))
    return job(job_id)


def bytes_of(row: Artifact) -> bytes:
    return store().read(storage.artifact(row.job_id, row.name).sha256)


def test_every_size_becomes_a_file_of_the_job() -> None:
    done = resized("My photo.jpg", encoded(photo(), "JPEG"), ["300x", "90x90", "9000x"], format="webp")
    assert (done.state, done.error_public) == ("succeeded", None)
    assert done.result is not None
    assert done.result["source"] == {"format": "jpeg", "width": 600, "height": 400}
    assert [(each["size"], each["name"]) for each in done.result["images"]] == [
        ("300x", "My photo-300x200.webp"),
        ("90x90", "My photo-90x60.webp"),
        ("9000x", "My photo-600x400.webp"),
    ]
    kept = {row.name: row for row in artifacts(done.id)}
    for each in done.result["images"]:
        row, content = kept[each["name"]], bytes_of(kept[each["name"]])
        assert (row.sha256, row.size, row.media_type) == (each["sha256"], each["bytes"], "image/webp")
        assert hashlib.sha256(content).hexdigest() == row.sha256
        assert Image.open(BytesIO(content)).size == (each["width"], each["height"])


def test_sizes_that_come_to_the_same_share_a_file() -> None:
    done = resized("a.png", encoded(photo(), "PNG"), ["300x", "x200", "300x200"])
    assert done.result is not None
    assert {each["name"] for each in done.result["images"]} == {"a-300x200.png"}
    assert [row.name for row in artifacts(done.id)] == ["a-300x200.png"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd-30x20.jpg"),
        ("ä" * 200 + ".jpg", "ä" * 75 + "-30x20.jpg"),
        (".jpg", "jpg-30x20.jpg"),
        ('<script>"x".png', "_script__x_-30x20.jpg"),
        ("a.tar.gz", "a.tar-30x20.jpg"),
    ],
)
def test_names_are_made_of_the_uploads_safe_name(given: str, name: str) -> None:
    done = resized(given, encoded(photo(), "JPEG"), ["30x"])
    assert [row.name for row in artifacts(done.id)] == [name]


def test_a_first_frame_is_said_to_be_one() -> None:
    done = resized("a.gif", gif((8, 8), 3), ["4x"], format="jpeg")
    assert done.result is not None
    assert (done.result["frames"], done.result["first_frame_only"]) == (1, True)


def test_a_refusal_fails_the_job_once_and_leaves_nothing() -> None:
    done = resized("a.svg", b"<svg/>", ["30x"])
    assert (done.state, done.attempt) == ("failed", 1)
    assert done.error_public == "a.svg is SVG or other XML. Hand in JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP."
    assert artifacts(done.id) == []


def test_a_form_may_be_filled_in(owner: User) -> None:
    """One size a line."""
    drawn = {each.name: each for each in forms.fields_of(Picture)}
    assert (drawn["sizes"].widget, drawn["file"].widget, drawn["mode"].choices) == (
        "lines",
        "file",
        ["fit", "cover", "exact"],
    )
    values = forms.read(
        Picture, owner, MultiDict({"sizes": "800x600\r\n 800x \r\n\r\nx600", "quality": "70"}), MultiDict()
    )
    kept = storage.receive(OWNER, "a.png", "image/png", BytesIO(b"x"))
    picture = Picture.model_validate(values | {"file": str(kept.id)})
    assert (picture.sizes, picture.quality) == (["800x600", "800x", "x600"], 70)
    assert forms.filled(Picture, picture.model_dump(mode="json"))["sizes"] == "800x600\n800x\nx600"


def test_the_program_loads_no_decoder() -> None:
    program = (
        "import sys; from webapi import create_app; create_app({'DATABASE_URL': 'sqlite://'}); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "webapi.services.images.resizing" in done.stdout.split()
    assert "PIL" not in done.stdout.split()
