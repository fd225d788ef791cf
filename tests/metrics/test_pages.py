"""The page: what the living and the dead have counted, and folders that do not pile up."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.scraping import figure, samples
from webapi.errors import ConfigError
from webapi.metrics import FENCED, RELAY_PASSED, RUN_SECONDS, pages


def in_a_child(count: int) -> None:
    """Count in a process that then is dead."""
    pid = os.fork()
    if pid == 0:
        FENCED.add(by=count)
        RUN_SECONDS.observe(3.0, "email.send")
        RELAY_PASSED.note(float(count))
        os._exit(0)
    os.waitpid(pid, 0)


def test_what_the_dead_counted_stays_and_their_files_go(folder: Path) -> None:
    for _ in range(5):
        in_a_child(2)
    before = len(list(folder.glob("*.db")))
    pages_read = [samples(pages.page(folder)) for _ in range(3)]
    for found in pages_read:
        assert figure(found, "webapi_fenced_attempts_total") == 10
        assert figure(found, "webapi_run_seconds_count", kind="email.send") == 5
        assert figure(found, "webapi_run_seconds_bucket", kind="email.send", le="5.0") == 5
        assert figure(found, "webapi_relay_pass_timestamp_seconds") == 2
    left = {path.name for path in folder.glob("*.db")}
    assert before > 15
    mine = f"counter_{os.getpid()}.db"
    assert left == {mine, "counter_0.db", "histogram_0.db", "gauge_max_0.db"}
    in_a_child(1)
    assert figure(pages.page(folder), "webapi_fenced_attempts_total") == 11


def test_many_may_read_at_once_while_processes_die(folder: Path) -> None:
    """No reader meets a file that is going, and no figure ever falls."""
    fallen: list[float] = []
    over = threading.Event()

    def read() -> None:
        last = 0.0
        while not over.is_set():
            now = figure(pages.page(folder), "webapi_fenced_attempts_total")
            if now < last:
                fallen.append(now)
            last = now

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        in_a_child(1)
    over.set()
    for thread in threads:
        thread.join()
    assert fallen == []
    assert figure(pages.page(folder), "webapi_fenced_attempts_total") == 20


def test_folders_of_servers_that_are_gone_are_removed(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    gone = pages.folder_for(tmp_path, "worker", pid)
    kept = [tmp_path / f"backup-{pid}", tmp_path / "web-of-lies"]
    for folder in kept:
        folder.mkdir()
    mine = pages.folder_for(tmp_path, "web", os.getpid())
    assert not gone.exists()
    assert all(folder.exists() for folder in kept), "what is not ours stays"
    assert mine.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(ConfigError, match="METRICS_DIR"):
        pages.folder_for(tmp_path / "link", "web", os.getpid())


@pytest.mark.parametrize(
    ("header", "right"),
    [
        ("Bearer the-token-of-the-tests", True),
        ("Bearer the-token-of-the-test", False),
        ("the-token-of-the-tests", False),
        ("", False),
        ("Bearer \xe9", False),
    ],
)
def test_only_the_token_opens(header: str, right: bool) -> None:
    assert pages.is_token(header, "the-token-of-the-tests") is right
