"""However many threads a server has, only so many requests run at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tests.waiting import until
from webapi.blueprints.crowd import Crowd

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


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

    crowd = Crowd(app, 2)
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
