"""A TCP proxy that a test stands between two parties, to cut and to stall what they say at the worst moment."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PIECE = 65536


class Cut(Exception):
    """This connection is to be cut now, before anything more is passed on."""


class Link:
    """One connection through the proxy. Its ears hear what passes and may raise Cut instead of letting it."""

    def from_client(self, data: bytes) -> bytes:
        """What of `data` goes to the server."""
        return data

    def from_server(self, data: bytes) -> bytes:
        """What of `data` goes to the client."""
        return data


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to `port` there."""

    def __init__(self, port: int, link: Callable[[], Link] = Link) -> None:
        self._target = port
        self._link = link
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.cuts = 0

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(("127.0.0.1", self._target), 2)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            link = self._link()
            with self._lock:
                self._open |= {client, server}
            for source, sink, ear in ((client, server, link.from_client), (server, client, link.from_server)):
                threading.Thread(target=self._pump, args=(source, sink, ear), daemon=True).start()

    def cut_all(self) -> None:
        """Cut every connection at once, whatever is under way."""
        with self._lock:
            victims, self._open = self._open, set()
        self.cuts += len(victims) // 2
        for each in victims:
            _close(each)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or the one that waits in accept() would be let in still
        self._listener.close()
        self.cut_all()

    def _pump(self, source: socket.socket, sink: socket.socket, ear: Callable[[bytes], bytes]) -> None:
        try:
            while data := source.recv(PIECE):
                if passed := ear(data):
                    sink.sendall(passed)
        except Cut:
            self.cuts += 1
        except OSError:
            pass  # the other side is gone
        finally:
            with self._lock:
                self._open -= {source, sink}
            _close(source)
            _close(sink)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def proxy(port: int, link: Callable[[], Link] = Link) -> Iterator[Proxy]:
    """A proxy that runs in threads of its own."""
    standing = Proxy(port, link)
    threading.Thread(target=standing.serve, daemon=True).start()
    try:
        yield standing
    finally:
        standing.close()
