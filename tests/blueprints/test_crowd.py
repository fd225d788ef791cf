"""However many threads a server has, only so many requests run at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.waiting import until
from webapi.blueprints.crowd import WATCHES, Crowd
from webapi.threads import LINE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


LONG = 20.0  # seconds: nobody who waits gives up


class Door:
    """An app whose requests stay inside until they are let go, and what the server was told about the others."""

    def __init__(self) -> None:
        self.inside = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.said: list[tuple[str, dict[str, str]]] = []

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.inside.release()
        if environ.get("PATH_INFO") not in WATCHES:
            assert self.go_on.wait(20)
        return [b"done"]

    def start(self, status: str, headers: list[tuple[str, str]], error: object = None, /) -> Callable[[bytes], object]:
        self.said.append((status, dict(headers)))
        return lambda written: None


def answered(status: str, headers: list[tuple[str, str]], error: object = None, /) -> Callable[[bytes], object]:
    """What a server offers as start_response."""
    return lambda written: None


def test_the_next_waits_until_one_has_answered() -> None:
    inside: list[int] = []
    go_on = [threading.Event() for _ in range(3)]

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        number: int = environ["number"]
        inside.append(number)
        assert go_on[number].wait(20)
        return [b""]

    crowd = Crowd(app, 2, LONG)
    threads = [threading.Thread(target=crowd, args=({"number": number}, answered)) for number in range(3)]
    for number, thread in enumerate(threads[:2]):
        thread.start()
        until(lambda: len(inside) > number, what="a request to be let in")  # noqa: B023 - called at once
    threads[2].start()
    assert inside == [0, 1]
    go_on[0].set()
    until(lambda: inside == [0, 1, 2], what="the third to be let in")
    for event in go_on:
        event.set()
    for thread in threads:
        thread.join()


def test_who_streams_has_left_before_the_stream_is_read() -> None:
    crowd = Crowd(lambda environ, start_response: iter([b"a", b"b"]), 1)
    streams = [crowd({}, answered) for _ in range(3)]
    assert [b"".join(stream) for stream in streams] == [b"ab"] * 3


def test_beyond_the_line_one_is_turned_away_at_once_and_a_probe_is_not() -> None:
    door, given = Door(), list[list[bytes]]()
    crowd = Crowd(door.app, 2, LONG)
    environ = {"PATH_INFO": "/", "REQUEST_METHOD": "POST"}
    run = lambda: given.append(list(crowd(environ, door.start)))  # noqa: E731
    threads = [threading.Thread(target=run) for _ in range(2 * (1 + LINE))]
    for thread in threads:
        thread.start()
    until(lambda: not crowd._line._value, what="the line to be full")
    began = time.monotonic()
    refused = json.loads(b"".join(crowd(environ, door.start)))
    assert time.monotonic() - began < LONG / 2
    assert (refused["status"], refused["code"]) == (503, "busy")
    ((status, headers),) = door.said
    assert (status[:3], headers["Retry-After"], headers["Content-Type"]) == ("503", "1", "application/problem+json")
    assert list(crowd({"PATH_INFO": "/healthz"}, door.start)) == [b"done"]
    door.go_on.set()
    for thread in threads:
        thread.join()
    assert given == [[b"done"]] * len(threads)
    assert list(crowd(environ, door.start)) == [b"done"]


def test_who_waited_long_enough_is_turned_away() -> None:
    door = Door()
    crowd = Crowd(door.app, 1)
    first = threading.Thread(target=crowd, args=({"PATH_INFO": "/"}, door.start))
    first.start()
    assert door.inside.acquire(timeout=20)
    assert json.loads(b"".join(crowd({"PATH_INFO": "/"}, door.start)))["code"] == "busy"
    door.go_on.set()
    first.join()
    assert list(crowd({"PATH_INFO": "/"}, door.start)) == [b"done"]
