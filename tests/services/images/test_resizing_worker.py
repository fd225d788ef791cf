"""A real worker, and what becomes of the child process when the job or the worker ends before it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from io import BytesIO
from uuid import UUID

import psutil
import pytest
from flask import Flask

from tests.conftest import Person
from tests.processes import RealWorker
from tests.queue.rows import artifacts, job
from tests.services.images.pictures import encoded, photo
from tests.waiting import until
from webapi.models.transaction import writing
from webapi.queue import control, submit
from webapi.services import storage
from webapi.tasks.image_resize import Picture


def accept(app: Flask, ada: Person, *sizes: str, **options: object) -> UUID:
    with app.app_context():
        kept = storage.receive(ada.id, "a.png", "image/png", BytesIO(encoded(photo(), "PNG")))
        picture = Picture.model_validate({"file": kept.id, "sizes": list(sizes), **options})
        return submit("image.resize", picture, owner_id=ada.id).id


def accept_slow(app: Flask, ada: Person) -> UUID:
    """A large AVIF takes many seconds."""
    return accept(app, ada, "9000x9000", mode="exact", format="avif", quality=95)


def state(app: Flask, job_id: UUID) -> str:
    with app.app_context():
        return str(job(job_id).state)


def drawing(worker: RealWorker) -> psutil.Process | None:
    """The child of one of the worker's processes."""
    for each in worker.main().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "images.child" in " ".join(each.cmdline()):
                return each
    return None


def gone(child: psutil.Process) -> bool:
    try:
        return bool(child.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_real_worker_resizes(app: Flask, ada: Person, worker: RealWorker) -> None:
    job_id = accept(app, ada, "300x", "x100", format="avif")
    until(lambda: state(app, job_id) == "succeeded", what="the job")
    with app.app_context():
        assert [row.name for row in artifacts(job_id)] == ["a-150x100.avif", "a-300x200.avif"]


def test_a_cancel_ends_the_child_within_two_seconds(app: Flask, ada: Person, worker: RealWorker) -> None:
    job_id = accept_slow(app, ada)
    child = until(lambda: drawing(worker), what="the child process")
    with app.app_context(), writing() as session:
        control.cancel(session, job_id, actor="test")
    began = time.monotonic()
    until(lambda: gone(child) and state(app, job_id) == "cancelled", what="the end of both")
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("whom", ["worker", "child of the pool"])
def test_no_child_outlives_a_worker_that_is_killed(app: Flask, ada: Person, worker: RealWorker, whom: str) -> None:
    accept_slow(app, ada)
    child = until(lambda: drawing(worker), what="the child process")
    if whom == "worker":
        worker.main().kill()
    else:
        child.parent().kill()
    until(lambda: gone(child), seconds=5, what="the child process to end")


def test_a_stopped_worker_takes_its_child_along(
    make_app: Callable[..., Flask], start_worker: Callable[..., RealWorker]
) -> None:
    app = make_app(STOP_SECONDS=0)
    ada = Person(app, "ada@example.com")
    worker = start_worker(app)
    job_id = accept_slow(app, ada)
    child = until(lambda: drawing(worker), what="the child process")
    worker.stop()
    until(lambda: gone(child), seconds=5, what="the child process to end")
    assert state(app, job_id) == "queued"
