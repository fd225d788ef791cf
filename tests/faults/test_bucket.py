"""Jobs whose files are in a bucket: real workers, a store that is away, and workers that die at its gaps."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import urllib3
from flask import Flask
from sqlalchemy import select

from tests.blueprints.site import Browser
from tests.conftest import Person
from tests.faults.ground import Killer, accept, broken, recover
from tests.processes import ROOT, RealWorker, settings_of
from tests.proxy import proxy
from tests.queue.rows import job
from tests.s3_server import KEYS, Pail
from tests.services.images.pictures import encoded, photo
from tests.waiting import until
from webapi.config import environment
from webapi.extensions import db
from webapi.models import Artifact
from webapi.queue import housekeeping, kind_named, submit
from webapi.queue.housekeeping import Housekeeper, remove_orphans
from webapi.queue.run import work
from webapi.services import storage
from webapi.tasks.image_resize import Picture
from webapi.tasks.report_build import ReportRequest

# What differs between stores is hardly a matter of the database.
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)]
pytestmark = pytest.mark.parametrize("database_url", DATABASES, indirect=True)

REPORT = ReportRequest()
YOUNG = -60.0  # an age that everything has


@pytest.fixture
def app(make_app: Callable[..., Flask], pail: Pail, tmp_path: Path) -> Flask:
    return make_app(LEASE_SECONDS=2, STORAGE_URL=pail.url(), SCRATCH_PATH=str(tmp_path / "scratch"), **KEYS)


def named(app: Flask) -> set[str]:
    with app.app_context():
        return set(db.session.scalars(select(Artifact.sha256)))


def in_bucket(pail: Pail) -> list[str]:
    return [key.split("/")[2] for key in pail.listed()]


def test_a_real_worker_reads_and_keeps_in_the_bucket_and_a_page_hands_it_out(
    make_app: Callable[..., Flask], start_worker: Callable[..., RealWorker], pail: Pail, tmp_path: Path
) -> None:
    settings = {"SCRATCH_PATH": str(tmp_path / "scratch"), **KEYS}
    app, linking = (make_app(STORAGE_URL=pail.url(links=links), **settings) for links in ("off", "on"))
    ada = Person(app, "ada@example.com")
    start_worker(app)
    with app.app_context():
        kept = storage.receive(ada.id, "a.png", "image/png", BytesIO(encoded(photo(), "PNG")))
        job_id = submit("image.resize", Picture(file=kept.id, sizes=["30x"]), owner_id=ada.id).id
        until(lambda: str(job(job_id).state) == "succeeded", what="the job")
    path, browser = f"/jobs/{job_id}/artifacts/a-30x20.png", Browser(app, ada)
    whole, part = browser.get(path), browser.get(path, headers={"Range": "bytes=1-3"})
    assert (whole.status_code, whole.data[:4], part.status_code, part.data) == (200, b"\x89PNG", 206, b"PNG")
    sent_on = Browser(linking, ada).get(path)
    assert sent_on.status_code == 302
    assert urllib3.request("GET", sent_on.location).data == whole.data
    assert Browser(linking).get(path).location.startswith("/login")
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]
    assert broken(app) == []


SELDOM = [pytest.param(gap, marks=pytest.mark.soak) for gap in ("A1", "C2a", "C2b")]


@pytest.mark.parametrize("gap", ["A2", *SELDOM])
def test_a_worker_that_dies_around_its_upload_loses_nothing_and_leaves_orphans_that_are_collected(
    app: Flask, ada: Person, kill_at: Killer, pail: Pail, gap: str
) -> None:
    job_id = accept(app, ada, "report.build", REPORT)
    kill_at(gap, "work", "report.build", REPORT)
    orphans = set(in_bucket(pail)) - named(app)
    assert bool(orphans) == (gap in {"A2", "C2a"})
    assert recover(app, "report.build", job_id) == "succeeded"
    with app.app_context():
        for shard in {int(sha256[:2], 16) for sha256 in in_bucket(pail)}:
            assert remove_orphans(app.extensions["files"], shard) == 0
            remove_orphans(app.extensions["files"], shard, YOUNG)
    assert sorted(in_bucket(pail)) == sorted(named(app))
    assert broken(app) == []


def test_a_store_that_is_away_makes_a_job_try_again(make_app: Callable[..., Flask], pail: Pail, tmp_path: Path) -> None:
    with proxy(pail.port) as between:
        url = pail.url(between.port)
        app = make_app(STORAGE_URL=url, SCRATCH_PATH=str(tmp_path / "scratch"), **KEYS)
        ada = Person(app, "ada@example.com")
        job_id = accept(app, ada, "report.build", REPORT)
        between.close()
        with app.app_context():
            work(kind_named("report.build"))
            row = job(job_id)
            assert (str(row.state), row.error_code) == ("retrying", "store_away")
        answer = app.test_client().post("/api/v1/uploads?name=a.txt", data=b"x", headers=ada.headers)
        assert (answer.status_code, (answer.json or {})["code"]) == (503, "store_away")
        assert answer.headers["Retry-After"] == "15"
    app.extensions["files"] = pail.store(tmp_path / "scratch")  # it answers again
    assert recover(app, "report.build", job_id) == "succeeded"
    assert broken(app) == []


def test_a_bucket_is_tidied_beside_the_relay(app: Flask, pail: Pail, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a store that keeps one waiting holds up no job."""
    monkeypatch.setattr(housekeeping, "OLD", YOUNG)
    monkeypatch.setattr(housekeeping, "TURN", 0.0)
    with app.app_context():
        sha256 = app.extensions["files"].put(BytesIO(b"nobody's")).sha256
        keeper = Housekeeper(app)
        keeper._shard = int(sha256[:2], 16) - 1
        keeper.tidy()
        until(lambda: not pail.listed(), what="the orphan to be collected")


def test_an_upload_of_a_web_server_that_died_is_an_orphan(app: Flask, ada: Person, kill_at: Killer, pail: Pail) -> None:
    kill_at("S1a", "upload", "report.build", REPORT)
    (sha256,) = in_bucket(pail)
    with app.app_context():
        assert remove_orphans(app.extensions["files"], int(sha256[:2], 16)) == 0
        assert remove_orphans(app.extensions["files"], int(sha256[:2], 16), YOUNG) == 1
    assert pail.listed() == []


@pytest.mark.soak
def test_a_worker_in_production_does_not_start_on_a_bucket_that_is_not_there(
    make_app: Callable[..., Flask], pail: Pail, tmp_path: Path
) -> None:
    app = make_app(WEBAPI_ENV="production", STORAGE_URL=pail.url(), SCRATCH_PATH=str(tmp_path / "scratch"), **KEYS)
    pail.client.delete_bucket(Bucket=pail.name)
    worker = RealWorker(app, tmp_path / "log")
    done = subprocess.run(
        worker.command, cwd=ROOT, env=environment(settings_of(app)), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == (
        f"s3://{pail.name}/web/api: There is no such bucket: make it, or correct STORAGE_URL."
    )
