"""The world outside: an SMTP server and an HTTP server that write down what they took, and misbehave by the address.

What an address or a path is called says how it is treated; a manner that ends in a digit goes wrong so many times
and then goes well. A receipt is on the disk before the answer that speaks of it.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep

from webapi.local import ports, smtp_sink
from webapi.local.drill.journal import Journal

BUSY = (0.02, 0.16)  # seconds that a mail server thinks before it takes a mail
LAST = (0.0, 0.05)  # seconds that it thinks after the last dot
TOO_LONG = 2.5  # seconds; nobody waits for an answer so long under the short lease of the drill


class Manners:
    """How each address is treated this time, and how long it takes: by the seed, the address and the try."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tries: Counter[str] = Counter()
        self._lock = threading.Lock()

    def of(self, name: str) -> tuple[str, random.Random]:
        """What to do now, without its digit, and a source of chance for it."""
        with self._lock:
            self._tries[name] += 1
            number = self._tries[name]
        manner = name.partition(".")[0]
        if manner[-1].isdigit():
            manner = manner[:-1] if number <= int(manner[-1]) else "ok"
        return manner, random.Random(f"{self._seed} {name} {number}")  # noqa: S311 # nosec B311 - repeatable


class Receipts(smtp_sink.Shelf):
    """Keeps a line of each mail and not the mail."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def keep(self, mail: bytes | bytearray) -> None:
        head = BytesHeaderParser().parsebytes(bytes(mail), headersonly=True)
        self._journal.add(
            "receipt", effect=str(head["X-Envelope-To"]), id=str(head["Message-ID"]), subject=str(head["Subject"])
        )


class MailClient(smtp_sink.Client):
    """A conversation in which the recipient decides what becomes of it."""

    def __init__(
        self, journal: Journal, manners: Manners, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(Receipts(journal), reader, writer)
        self._journal, self._manners = journal, manners

    async def _data(self) -> str:
        if not self._recipients:
            return await super()._data()
        self._to = self._recipients[0]
        self._manner, chance = self._manners.of(self._to)
        await asyncio.sleep(chance.uniform(*BUSY))
        self._last = chance.uniform(*LAST)
        if self._manner in {"greylist", "refuse"}:
            self._forget()
            return "450 4.2.0 Later" if self._manner == "greylist" else "550 5.1.1 Nobody of that name"
        await asyncio.to_thread(self._journal.add, "begun", effect=self._to)
        if self._manner == "cut":
            raise ConnectionResetError
        answer = await super()._data()
        if self._manner == "keptmute":
            raise ConnectionResetError
        await asyncio.sleep(TOO_LONG if self._manner == "slow" else 0)
        return answer

    async def _receive(self, mail: bytearray) -> str:
        refusal = await super()._receive(mail)
        await asyncio.sleep(self._last)
        if self._manner == "mute":
            raise ConnectionResetError
        return refusal or {"defer": "451 4.3.0 Later", "reject": "554 5.7.1 Not wanted"}.get(self._manner, "")


class MailSink:
    """An SMTP server in a thread of this process, on a free port."""

    def __init__(self, journal: Journal, manners: Manners) -> None:
        self.port = ports.free()
        self._journal, self._manners = journal, manners
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail sink", daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await MailClient(self._journal, self._manners, reader, writer).serve()

        await asyncio.start_server(talk, ports.HOST, self.port, limit=smtp_sink.MAX_LINE + 1)


class CallSink:
    """An HTTP server in threads of this process, on a free port."""

    def __init__(self, journal: Journal, manners: Manners) -> None:
        self._server = ThreadingHTTPServer((ports.HOST, 0), _handler(journal, manners))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="call sink", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(journal: Journal, manners: Manners) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            manner, chance = manners.of(self.path.removeprefix("/"))
            effect = f"POST http://{self.headers['Host']}{self.path}"
            sleep(chance.uniform(*LAST))
            status = 503 if manner == "busy" else 200
            if status == 200 and manner != "mute":
                journal.add("receipt", effect=effect, id=self.headers["webhook-id"])
            sleep(chance.uniform(*LAST))
            if manner.endswith("mute"):
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    return Handler
