"""The child process: what it may cost, what it is told, and what becomes of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tests.services.images.pictures import encoded, order, photo
from tests.waiting import until
from webapi.errors import Permanent
from webapi.services.images.order import Limits, Order
from webapi.services.images.running import in_child


def slow(folder: Path, **options: object) -> Order:
    """It takes many seconds: a large AVIF of noise."""
    return order(
        folder, encoded(photo((200, 200)), "PNG"), (6000, 6000), mode="exact", format="avif", quality=95, **options
    )


def children() -> list[psutil.Process]:
    """Those of this process that draw, once they have limited themselves."""
    return [each for each in psutil.Process().children() if ready(each)]


def ready(process: psutil.Process) -> bool:
    try:
        return "images.child" in " ".join(process.cmdline()) and process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def test_a_picture_comes_out(tmp_path: Path) -> None:
    facts = in_child(order(tmp_path, encoded(photo(), "JPEG"), (300, None), (60, 60), mode="cover"))
    assert facts["pictures"] == [{"width": 300, "height": 200}, {"width": 60, "height": 60}]
    assert Image.open(tmp_path / "out" / "1").size == (60, 60)
    assert children() == []


def test_what_is_refused_is_told(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"^p.jpg is cut short or broken.$"):
        in_child(order(tmp_path, encoded(photo(), "JPEG")[:2000], (300, None)))


def test_memory_that_runs_out_is_a_sentence(tmp_path: Path) -> None:
    content = encoded(Image.new("RGBA", (9000, 9000)), "PNG", compress_level=1)
    with pytest.raises(Permanent, match="needs more memory than a picture may take"):
        in_child(order(tmp_path, content, (100, 100), limits=Limits(memory=400 * 1024 * 1024)))


def test_time_that_runs_out_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"^p.jpg takes longer than a picture may: 1 seconds.$"):
        in_child(slow(tmp_path, limits=Limits(cpu=1)))


def test_a_file_that_grows_too_large_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"would be larger than 0.0625 MB"):
        in_child(order(tmp_path, encoded(photo(), "PNG"), (600, 400), limits=Limits(file=65_536)))


def test_a_full_disk_is_not_the_pictures_fault(tmp_path: Path) -> None:
    asked = order(tmp_path, encoded(photo(), "PNG"), (300, 200))
    (tmp_path / "out" / "0").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        in_child(asked)


def test_a_picture_that_is_gone_is_not_the_pictures_fault(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        in_child(replace(order(tmp_path, b"x", (300, 200)), source=str(tmp_path / "nowhere")))


def while_drawing(asked: Order, act: Callable[[psutil.Process], None]) -> None:
    """Draw in this thread, which is the one that the kernel watches; act on the child from another."""

    def soon() -> None:
        act(until(children, what="the child process")[0])

    with ThreadPoolExecutor() as pool:
        acted = pool.submit(soon)
        try:
            in_child(asked)
        finally:
            acted.result()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_a_child_that_is_killed_is_a_sentence(tmp_path: Path, number: signal.Signals) -> None:
    with pytest.raises(Permanent, match="it made the program that reads it fail"):
        while_drawing(slow(tmp_path), lambda child: child.send_signal(number))


def test_the_child_is_limited_and_knows_nothing_of_our_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "CANARY")
    seen = {}

    def look(child: psutil.Process) -> None:
        seen["environment"] = child.environ()
        seen["limits"] = [child.rlimit(each) for each in (psutil.RLIMIT_AS, psutil.RLIMIT_CPU, psutil.RLIMIT_FSIZE)]
        seen["files"] = [child.rlimit(psutil.RLIMIT_NOFILE)]
        seen["group"] = [os.getpgid(child.pid) == child.pid]
        seen["modules"] = [each.path for each in child.memory_maps() if "site-packages" in each.path]
        child.kill()

    with pytest.raises(Permanent):
        while_drawing(slow(tmp_path), look)
    limits = Limits()
    assert seen["environment"] == {"LC_ALL": "C.UTF-8"}
    assert seen["limits"] == [
        (limits.memory, limits.memory),
        (limits.cpu, limits.cpu + 5),
        (limits.file, limits.file),
    ]
    assert seen["files"] == [(limits.files, limits.files)]
    assert seen["group"] == [True]
    packages = {path.partition("site-packages/")[2].partition("/")[0] for path in seen["modules"]}
    assert packages <= {"PIL", "pillow.libs"}, "it loads the decoders and nothing of ours"
