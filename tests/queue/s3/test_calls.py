"""Requests whose answers are late, lost or bad: sent again while that may help, and nothing is there twice."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from celery.exceptions import SoftTimeLimitExceeded

from tests.http_server import Act, HttpServer, http_server
from tests.proxy import Cut, Link, Proxy, proxy
from tests.s3_server import KEYS, Pail
from tests.servers import free_port
from webapi.buckets import bucket
from webapi.errors import StoreAway
from webapi.queue.s3.calls import PART, TRIES, Calls
from webapi.queue.s3.store import S3Store

TAKEN = Act(body=b"")  # boto looks for an error in the body of an answer that is well


@pytest.fixture
def edge() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


def calls(port: int, name: str = "bucket") -> Calls:
    return Calls(bucket(f"s3://{name}?endpoint=http://127.0.0.1:{port}&timeout=1"), *KEYS.values())


@pytest.mark.parametrize("act", [Act(503), Act(429), Act(does="hang up"), Act(does="stay silent")], ids=str)
def test_what_may_pass_is_sent_again_under_the_same_key(edge: HttpServer, act: Act) -> None:
    edge.plan(act, TAKEN)
    calls(edge.port).ask("put_object", Key="a/key", Body=b"content")
    assert [request.line.split()[1] for request in edge.received] == ["/bucket/a/key"] * 2
    assert {request.body for request in edge.received} == {b"content"}


def test_a_server_that_only_fails_is_given_up_after_some_tries(edge: HttpServer) -> None:
    edge.plan(*[Act(500)] * 9)
    with pytest.raises(ClientError):
        calls(edge.port).ask("delete_object", Key="key")
    assert len(edge.received) == TRIES


def test_what_will_not_pass_is_asked_once(edge: HttpServer) -> None:
    edge.plan(*[Act(403)] * 9)
    with pytest.raises(ClientError):
        calls(edge.port).ask("delete_object", Key="key")
    assert len(edge.received) == 1


def test_a_wait_has_an_end(edge: HttpServer) -> None:
    """The server would be silent for much longer, and then hang up."""
    edge.plan(Act(does="stay silent"))
    with pytest.raises(ReadTimeoutError):
        calls(edge.port).once("delete_object", Key="key")


def test_nobody_there_is_told_at_once() -> None:
    with pytest.raises((EndpointConnectionError, ConnectTimeoutError)):
        calls(free_port()).ask("delete_object", Key="key")


def test_a_job_learns_of_its_time_limit_while_it_waits(edge: HttpServer) -> None:
    edge.plan(Act(does="stay silent"))

    def ring(*_: Any) -> None:
        raise SoftTimeLimitExceeded

    waiting = calls(edge.port)
    assert waiting.client  # made before: it leaves much to the collector, in which an exception would be lost
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(SoftTimeLimitExceeded):
            waiting.ask("delete_object", Key="key")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_process_has_a_client_of_its_own() -> None:
    shared = calls(free_port())
    ours = shared.client
    assert shared.client is ours
    child = os.fork()
    if not child:
        os._exit(int(shared.client is ours))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Loser(Link):
    """Loses the first answer to a request that holds some text."""

    wanted, lost, heard = b"", threading.Event(), threading.Event()

    def from_client(self, data: bytes) -> bytes:
        if self.wanted in data and not self.lost.is_set():
            self.heard.set()
        return data

    def from_server(self, data: bytes) -> bytes:
        if self.heard.is_set() and not self.lost.is_set() and b"100 Continue" not in data:
            self.lost.set()
            raise Cut
        return data


@contextmanager
def losing(port: int, text: bytes) -> Iterator[Proxy]:
    link = type("Once", (Loser,), {"wanted": text, "lost": threading.Event(), "heard": threading.Event()})
    with proxy(port, link) as between:
        yield between
        assert between.cuts


def test_an_upload_whose_answer_was_lost_is_there_once(pail: Pail, tmp_path: Path) -> None:
    with losing(pail.port, b"PUT ") as between:
        store = pail.store(tmp_path, between.port)
        sha256 = store.put(io.BytesIO(b"once")).sha256
    assert store.where == f"s3://{pail.name}/web/api"
    assert [key.rpartition("/")[0] for key in pail.listed()] == [f"objects/{sha256[:2]}/{sha256}"]


def test_a_large_upload_whose_answer_was_lost_is_there_once(pail: Pail, tmp_path: Path) -> None:
    content = os.urandom(PART + 10)
    with losing(pail.port, b"partNumber=") as between:
        sha256 = pail.store(tmp_path, between.port).put(io.BytesIO(content)).sha256
    assert len(pail.listed()) == 1
    assert pail.store(tmp_path).read(sha256) == content


def test_the_lost_answer_to_the_end_of_a_large_upload_is_looked_up(pail: Pail, tmp_path: Path) -> None:
    with losing(pail.port, b"<CompleteMultipartUpload") as between:
        pail.store(tmp_path, between.port).put(io.BytesIO(b"x" * (PART + 10)))
    assert len(pail.listed()) == 1


class Half(io.BytesIO):
    """A file whose disk fails after its first part."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_large_upload_that_fails_leaves_no_parts(pail: Pail) -> None:
    with pytest.raises(OSError, match="Input/output"):
        calls(pail.port, pail.name).upload(Half(b"x" * (PART + 10)), "key", PART + 10)
    assert "Uploads" not in pail.client.list_multipart_uploads(Bucket=pail.name)
    assert pail.listed() == []


@pytest.mark.soak
def test_a_store_that_is_away_keeps_nothing_and_leaves_nothing(edge: HttpServer, tmp_path: Path) -> None:
    edge.plan(*[Act(500)] * 9)
    store = S3Store(bucket(f"s3://bucket?endpoint=http://127.0.0.1:{edge.port}"), str(tmp_path), *KEYS.values())
    with pytest.raises(StoreAway):
        store.put(io.BytesIO(b"content"))
    assert list(store.incoming().iterdir()) == []
