"""HTTP with the moment of no return in view, against servers that behave and servers that do not."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from tests.http_server import Act, HttpServer, http_server
from tests.servers import free_port
from tests.services.resolving import Resolver
from tests.waiting import until
from webapi.errors import Transient
from webapi.queue.acts import answer_limit
from webapi.services.http import CONNECT_TIMEOUT, KEPT, Answer, NoReply, Request, connected, exchange
from webapi.services.targets import parse

NAME = "hooks.test"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with http_server() as server:
        yield server


@pytest.fixture
def here(calling: Callable[..., Flask], server: HttpServer) -> HttpServer:
    """The server, and an app that may call it. An answer is waited for 0.8 seconds."""
    calling(CALL_PRIVATE=[server.place, f"{NAME}:{server.port}"], LEASE_SECONDS=2)
    return server


def call(url: str, before: Callable[[], None] = lambda: None, body: bytes | None = b"{}") -> Answer:
    target = parse(url)
    with closing(connected(target)) as connection:
        return exchange(connection, Request("POST", target, {}, body), before)


def named(server: HttpServer, scheme: str = "http") -> str:
    return f"{scheme}://{NAME}:{server.port}/hook?a=1"


def test_an_answer_is_a_status_and_the_first_of_its_body(here: HttpServer) -> None:
    here.plan(Act(201, (("ETag", '"1"'), ("Set-Cookie", "secret")), b"made"))
    answer = call(here.url("/hook?a=1"))
    assert (answer.status, answer.body, answer.truncated, answer.headers) == (201, "made", False, {"etag": '"1"'})
    assert 0 <= answer.seconds < answer_limit()
    (request,) = here.received
    assert (request.line, request.body) == ("POST /hook?a=1 HTTP/1.1", b"{}")
    assert (request.headers["host"], request.headers["accept-encoding"]) == (here.place, "identity")


def test_before_it_is_written_nothing_is_received_and_the_connection_stands(here: HttpServer) -> None:
    seen: list[int] = []

    def look() -> None:
        until(lambda: here.connections == 1, what="the connection to stand")
        seen.append(len(here.received))

    call(here.url(), look)
    assert (seen, len(here.received)) == ([0], 1)


def test_who_stops_before_it_is_written_sends_nothing(here: HttpServer) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(here.url(), stop)
    call(here.url())
    assert len(here.received) == 1


def test_a_name_that_moves_after_the_check_is_called_where_it_was_checked(here: HttpServer, resolver: Resolver) -> None:
    """DNS rebinding: the second answer would lead elsewhere. Nobody asks a second time."""
    resolver.names[NAME] = [["127.0.0.1"], ["127.0.0.2"]]
    assert call(named(here)).status == 200
    assert resolver.asked == [NAME]
    assert here.received[0].headers["host"] == f"{NAME}:{here.port}"


def test_the_next_address_is_tried_when_one_is_dead(here: HttpServer, resolver: Resolver) -> None:
    resolver.names[NAME] = [["127.0.0.2", "127.0.0.1"]]
    assert call(named(here)).status == 200


def test_a_redirect_is_an_answer_and_is_not_followed(here: HttpServer) -> None:
    with http_server() as inner:
        here.plan(Act(302, (("Location", inner.url("/admin")),)))
        answer = call(here.url())
        assert (answer.status, answer.headers) == (302, {"location": inner.url("/admin")})
        assert (inner.connections, len(here.received)) == (0, 1)


def test_no_proxy_of_the_environment_is_used(here: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert call(here.url()).status == 200
        assert proxy.connections == 0


def test_a_large_body_is_cut(here: HttpServer) -> None:
    here.plan(Act(body=b"x" * 5_000_000), Act(body=b"x" * KEPT), Act(body=b"x" * (KEPT + 1)))
    answers = [call(here.url()) for _ in range(3)]
    assert [(len(answer.body or ""), answer.truncated) for answer in answers] == [
        (KEPT, True), (KEPT, False), (KEPT, True),
    ]  # fmt: skip


@pytest.mark.parametrize("packed", ["gzip", "deflate, gzip", "br", "GZIP"])
def test_a_compressed_body_is_never_unpacked(here: HttpServer, packed: str) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    here.plan(Act(headers=(("Content-Encoding", packed),), body=bomb))
    answer = call(here.url())
    assert (answer.status, answer.body) == (200, None)
    assert answer.headers["content-encoding"] == packed


def test_a_chunked_body_is_put_together(here: HttpServer) -> None:
    here.plan(Act(headers=(("Transfer-Encoding", "chunked"),), body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    assert call(here.url()).body == "abcde"


def test_a_body_that_is_no_text_does_no_harm(here: HttpServer) -> None:
    here.plan(Act(headers=(("ETag", "a\0b"),), body=b"a\0b\xff\xed\xa0\x80"))
    answer = call(here.url())
    assert (answer.body, answer.headers) == ("a\ufffdb" + "\ufffd" * 4, {"etag": "a\ufffdb"})


@pytest.mark.parametrize(
    "act",
    [
        Act(does="hang up early"),
        Act(does="hang up"),
        Act(does="stay silent"),
        Act(does="drip status"),
        Act(raw=b""),
        Act(raw=b"SSH-2.0-OpenSSH\r\n\r\n"),
        Act(raw=b"HTTP/1.1 twohundred OK\r\n\r\n"),
        Act(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        Act(raw=b"HTTP/1.1 100 Continue\r\n\r\n", does="pour"),
        Act(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nbody"),  # to be discarded: RFC 9112 section 6.3
        Act(headers=(("X-Long", "x" * 70_000),)),
        Act(headers=tuple((f"X-{number}", "x") for number in range(200))),
    ],
    ids=lambda act: str(act)[:60],
)
def test_what_is_no_answer_is_said_so_in_time(here: HttpServer, act: Act) -> None:
    here.plan(act)
    begun = time.monotonic()
    with pytest.raises(NoReply):
        call(here.url())
    assert time.monotonic() - begun < answer_limit() + 1


@pytest.mark.parametrize(
    "act",
    [
        Act(202, body=b"x" * 10_000, does="drip body"),
        Act(202, (("Transfer-Encoding", "identity"),), b"x" * 10_000, "drip body"),
        Act(202, does="drip head"),
    ],
    ids=["of known length", "until it hangs up", "of headers"],
)
def test_an_answer_that_drips_holds_nobody_and_its_status_counts(here: HttpServer, act: Act) -> None:
    here.plan(act)
    answer = call(here.url())
    assert (answer.status, answer.truncated) == (202, True)
    assert len(answer.body or "") < 20
    assert answer.seconds < answer_limit() + 1


def test_headers_that_still_flow_when_time_is_over_do_not_hide_the_status(here: HttpServer) -> None:
    here.pace = 0.0002
    here.plan(*[Act(202, does="drip head")] * 5)
    assert [call(here.url()).status for _ in range(5)] == [202] * 5


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;" + b"x" * 100_000 + b"\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
        b"HTTP/1.1 200 \xff\xfe\r\nETag: \xc3\xbc\r\nX-A: b\r\n continued\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nETag: <script>alert(1)</script>\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Smuggled\r\n\r\n",
    ],
    ids=lambda raw: repr(raw)[18:70],
)
def test_an_answer_that_contradicts_itself_is_a_status_and_does_no_harm(here: HttpServer, raw: bytes) -> None:
    here.plan(Act(raw=raw))
    begun = time.monotonic()
    answer = call(here.url())
    assert answer.status == 200
    assert len(answer.body or "") <= KEPT
    assert time.monotonic() - begun < answer_limit() + 1


@pytest.mark.parametrize("size", [10_000, 30_000_000])
def test_a_service_that_takes_a_connection_and_reads_nothing_holds_nobody(
    calling: Callable[..., Flask], size: int
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        place = f"127.0.0.1:{deaf.getsockname()[1]}"
        calling(CALL_PRIVATE=[place], LEASE_SECONDS=2)
        begun = time.monotonic()
        with pytest.raises(NoReply):
            call(f"http://{place}/", body=b"x" * size)
        assert time.monotonic() - begun < answer_limit() + 1


def test_nobody_listening_is_said_in_a_sentence(calling: Callable[..., Flask]) -> None:
    place = f"127.0.0.1:{free_port()}"
    calling(CALL_PRIVATE=[place])
    marks: list[int] = []
    with pytest.raises(Transient, match=r"cannot be reached: Connection refused\."):
        call(f"http://{place}/", lambda: marks.append(1))
    assert marks == []


@pytest.mark.soak
def test_a_handshake_that_drips_holds_nobody(calling: Callable[..., Flask]) -> None:
    """TLS promises a record of 16 kB, and brings it byte by byte."""
    with http_server() as server:
        calling(CALL_PRIVATE=[server.place])
        server.hello = b"\x16\x03\x03\x40\x00" + b"\x02" * 16_384
        begun = time.monotonic()
        with pytest.raises(Transient, match="cannot be reached"):
            call(server.url().replace("http:", "https:"))
        assert time.monotonic() - begun < CONNECT_TIMEOUT + 2


def test_ipv6_is_called_too(calling: Callable[..., Flask]) -> None:
    with http_server("::1") as server:
        calling(CALL_PRIVATE=[server.place])
        assert call(server.url()).status == 200
        assert server.received[0].headers["host"] == server.place


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS with a certificate for NAME that this process trusts."""
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    about = ["-days", "1", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *curve, *files, *about], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


def test_over_tls_the_name_is_asked_for_and_verified_at_the_checked_address(
    calling: Callable[..., Flask], resolver: Resolver, trusted: ssl.SSLContext
) -> None:
    resolver.names[NAME] = [["127.0.0.1"]]
    with http_server(context=trusted) as server:
        calling(CALL_PRIVATE=[f"{NAME}:{server.port}"])
        assert call(named(server, "https")).status == 200
        assert (server.names, server.received[0].headers["host"]) == ([NAME], f"{NAME}:{server.port}")


def test_a_certificate_for_another_name_is_not_taken(calling: Callable[..., Flask], trusted: ssl.SSLContext) -> None:
    with http_server(context=trusted) as server:
        calling(CALL_PRIVATE=[server.place])
        with pytest.raises(Transient, match="certificate is not valid"):
            call(server.url())
        assert server.received == []
