"""Counting: each process in files of its own, and together one figure."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.scraping import figure, samples
from webapi.metrics import ATTEMPTS, EFFECTS, FENCED, RELAY_PASSED, RUN_SECONDS, book, pages


def test_without_a_folder_nothing_is_counted_and_nothing_is_opened(tmp_path: Path) -> None:
    assert book.folder() is None
    FENCED.add()
    RUN_SECONDS.observe(1.0, "email.send")
    RELAY_PASSED.note(1.0)
    assert list(tmp_path.iterdir()) == []


def test_what_may_raise_an_alarm_is_zero_before_it_happens(folder: Path) -> None:
    found = samples(pages.page(folder))
    assert found["webapi_fenced_attempts_total", ()] == 0
    assert found["webapi_effects_total", (("effect", "mail"), ("state", "unknown"))] == 0


def test_a_counter_adds_up_by_its_labels(folder: Path) -> None:
    ATTEMPTS.add("email.send", "succeeded")
    ATTEMPTS.add("email.send", "succeeded", by=2)
    ATTEMPTS.add("email.send", "failed")
    page = pages.page(folder)
    assert figure(page, "webapi_attempts_total", kind="email.send", state="succeeded") == 3
    assert figure(page, "webapi_attempts_total", kind="email.send") == 4


def test_a_histogram_has_every_bucket_and_each_holds_the_smaller_ones(folder: Path) -> None:
    for seconds in (0.01, 0.011, 42.0, 4000.0):
        RUN_SECONDS.observe(seconds, "email.send")
    (family,) = [
        each
        for each in text_string_to_metric_families(pages.page(folder).decode())
        if each.name == "webapi_run_seconds"
    ]
    buckets = {each.labels["le"]: each.value for each in family.samples if each.name.endswith("_bucket")}
    assert len(buckets) == len(book.LONG) + 1
    assert (buckets["0.01"], buckets["0.05"], buckets["30.0"], buckets["60.0"], buckets["+Inf"]) == (1, 2, 2, 3, 4)
    page = pages.page(folder)
    assert figure(page, "webapi_run_seconds_count") == 4
    assert figure(page, "webapi_run_seconds_sum") == 0.01 + 0.011 + 42.0 + 4000.0


def test_a_forked_child_counts_beside_its_parent(folder: Path) -> None:
    FENCED.add()
    pid = os.fork()
    if pid == 0:
        FENCED.add(by=2)
        os._exit(0)
    os.waitpid(pid, 0)
    FENCED.add()
    assert figure(pages.page(folder), "webapi_fenced_attempts_total") == 4


def test_a_child_forked_while_others_count_is_not_locked_out(folder: Path) -> None:
    """Twenty forks, while two threads count as fast as they can; each child counts once and ends."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            EFFECTS.add("mail", "done")

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                FENCED.add()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert figure(pages.page(folder), "webapi_fenced_attempts_total") == 20


def test_threads_lose_no_count(folder: Path) -> None:
    def thousand() -> None:
        for _ in range(1000):
            EFFECTS.add("call", "done")

    threads = [threading.Thread(target=thousand) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert figure(pages.page(folder), "webapi_effects_total", effect="call", state="done") == 4000


def test_the_last_moment_of_all_processes_counts(folder: Path) -> None:
    RELAY_PASSED.note(200.0)
    pid = os.fork()
    if pid == 0:
        RELAY_PASSED.note(100.0)
        os._exit(0)
    os.waitpid(pid, 0)
    assert figure(pages.page(folder), "webapi_relay_pass_timestamp_seconds") == 200.0
