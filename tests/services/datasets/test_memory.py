"""Memory while a large file is handed in to a real web server and read by a real worker."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask

from tests.conftest import Person
from tests.processes import RealWorker
from tests.services.datasets.doors import inspected
from tests.waiting import until
from tests.web_server import web_server

SIZE = 200_000_000  # bytes
LINE = b"%09d,name of number %09d,2026-03-%02d,%d.50,something that is the same in each row\n"


def lines() -> Iterator[bytes]:
    """Blocks of a CSV that is a little longer than SIZE."""
    yield b"id,name,day,amount,note\n"
    sent, first = 0, 0
    while sent < SIZE:
        block = b"".join(LINE % (n, n, n % 28 + 1, n % 1000) for n in range(first, first + 10_000))
        yield block
        sent, first = sent + len(block), first + 10_000


class Watch:
    """The largest resident set of some processes together, each minus what it was at the beginning."""

    def __init__(self, processes: Callable[[], list[psutil.Process]]) -> None:
        self.processes, self.over = processes, threading.Event()
        self.before = self._now()
        self.most = self.before
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    @property
    def grown(self) -> float:
        """MB."""
        return (self.most - self.before) / 1e6

    def _look(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, self._now())

    def _now(self) -> int:
        total = 0
        for each in self.processes():
            try:
                total += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total


@pytest.mark.soak
def test_200_megabytes_pass_through_a_web_server_and_a_worker_that_stay_flat(
    app: Flask, ada: Person, worker: RealWorker, tmp_path: Path
) -> None:
    with web_server(app, tmp_path / "web.log") as server:

        def post(body: Iterator[bytes], name: str) -> dict[str, object]:
            wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            wire.request(
                "POST", f"/api/v1/datasets?file_name={name}", body=body, headers=ada.headers, encode_chunked=True
            )
            answer = wire.getresponse()
            assert answer.status == 202, answer.read()
            made: dict[str, object] = json.loads(answer.read())
            return made

        inspected(app, ada, post(iter([b"a\n1\n"]), "warm.csv"))
        web = Watch(server.processes)
        workers = Watch(lambda: [worker.main(), *worker.children()])
        child = Watch(
            lambda: [each for each in worker.main().children(recursive=True) if each not in worker.children()]
        )
        found = inspected(app, ada, post(lines(), "large.csv"), seconds=300)
        for watch in (web, workers, child):
            watch.over.set()
    print(
        f"{found['size'] / 1e6:.0f} MB, {found['rows']:,} rows: web server {web.grown:+.0f} MB, "
        f"worker {workers.grown:+.0f} MB, its child {child.most / 1e6:.0f} MB"
    )
    assert (found["state"], found["size"]) == ("ready", sum(map(len, lines())))
    assert found["rows"] == sum(block.count(b"\n") for block in lines()) - 1
    assert web.grown < 40
    assert workers.grown < 40
    assert child.most < 900e6
    until(lambda: not list((app.extensions["files"].root / "incoming").glob("*")), what="nothing to be left")
