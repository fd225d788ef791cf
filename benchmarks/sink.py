"""An SMTP server that takes everything and writes down who got what. It is quick, so that it measures the client.

Each line of its file is a Message-ID and an address, written before the reply that speaks of it.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path
from typing import IO

HELLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 33554432\r\n"
MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
END = b"\r\n.\r\n"


class Client(asyncio.Protocol):
    """One connection. `delay` is what each round trip costs, in seconds."""

    def __init__(self, file: IO[bytes], delay: float) -> None:
        self._file, self._delay = file, delay
        self._buffer = bytearray()
        self._to = b""
        self._data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = bytearray()
        while self._step(answers):
            pass
        if answers:
            self._say(bytes(answers))

    def _step(self, answers: bytearray) -> bool:
        """Take one command or one mail out of the buffer; False when there is no whole one."""
        end = self._buffer.find(END if self._data else b"\r\n")
        if end < 0:
            return False
        taken = bytes(self._buffer[:end])
        del self._buffer[: end + (len(END) if self._data else 2)]
        answers += self._mail(taken) if self._data else self._command(taken)
        return True

    def _mail(self, mail: bytes) -> bytes:
        self._data = False
        found = MESSAGE_ID.search(mail, 0, 4096)
        self._file.write((found[1] if found else b"<>") + b" " + self._to + b"\n")
        self._file.flush()
        return b"250 2.0.0 taken\r\n"

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb in {b"EHLO", b"HELO"}:
            return HELLO
        if verb == b"RCPT":
            self._to = line[line.find(b"<") + 1 : line.find(b">")]
        if verb == b"DATA":
            self._data = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 2.0.0 well\r\n"

    def _say(self, words: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, words)
        else:
            self._transport.write(words)


async def serve(path: Path, port: int, delay: float) -> None:
    with path.open("ab") as file:
        server = await asyncio.get_running_loop().create_server(lambda: Client(file, delay), "127.0.0.1", port)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--delay", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(serve(given.path, given.port, given.delay))
