"""An SMTP server that keeps every mail as a file and delivers none: the inbox of development (RFC 5321).

It imports the standard library only, and is started by its path, so that it is up within a blink.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import secrets
import signal
import time
from pathlib import Path

HOST = "127.0.0.1"
MAX_LINE = 998  # octets without CR LF, RFC 5321 section 4.5.3.1.6
MAX_MAIL = 32 * 1024 * 1024  # octets
MAX_RECIPIENTS = 1000  # of one mail
IDLE = 300.0  # seconds that a client may be silent, RFC 5321 section 4.5.3.2.7
# Printable ASCII without brackets: no control character can reach a header of ours.
ADDRESS = "[!-;=?-~]+@[!-;=?-~]+"
MAIL = re.compile(rf"FROM: ?<({ADDRESS}|)>(?: SIZE=([0-9]{{1,20}})| BODY=(?:7BIT|8BITMIME))*", re.IGNORECASE)
RCPT = re.compile(rf"TO: ?<({ADDRESS}|postmaster)>", re.IGNORECASE)
HELLO = f"250-localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE {MAX_MAIL}\r\n250 ENHANCEDSTATUSCODES"


class Shelf:
    """The folder of the mails. Their names sort by arrival, whatever the clock does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for abandoned in folder.glob("*.partial"):
            abandoned.unlink()

    def keep(self, mail: bytes | bytearray) -> None:
        """Readers find the whole mail or nothing. When this returns, it survives a power cut."""
        self._last = max(time.time_ns(), self._last + 1)
        target = self._folder / f"{self._last:020d}-{secrets.token_hex(4)}.eml"
        partial = target.with_suffix(".partial")
        with partial.open("xb") as file:
            file.write(mail)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Client:
    """One connection. Commands are read one by one, so a client may send many before it reads (RFC 2920)."""

    def __init__(self, shelf: Shelf, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._shelf, self._reader, self._writer = shelf, reader, writer
        self._greeted = False
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def serve(self) -> None:
        try:
            await self._say("220 localhost ESMTP: mail is kept here, and delivered nowhere")
            while (answer := await self._next()) is not None:
                await self._say(answer)
            await self._say("221 2.0.0 Goodbye")
        except TimeoutError:
            await self._say("421 4.4.2 You were silent for too long")
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client hung up, or we are stopping
        finally:
            self._writer.close()

    async def _next(self) -> str | None:
        """The answer to the next command; None when it was QUIT."""
        line = await self._line()
        if line is None:
            return "500 5.5.2 The line is too long"
        verb, _, rest = line.decode("ascii", "replace").rstrip().partition(" ")
        if rest and verb.upper() in {"DATA", "RSET", "QUIT"}:
            return "501 5.5.4 It takes no argument"
        match verb.upper():
            case "EHLO" | "HELO" as verb:
                return self._hello(verb, rest)
            case "MAIL":
                return self._mail(MAIL.fullmatch(rest))
            case "RCPT":
                return self._rcpt(RCPT.fullmatch(rest))
            case "DATA":
                return await self._data()
            case "RSET":
                self._forget()
                return "250 2.0.0 Forgotten"
            case "NOOP":
                return "250 2.0.0 OK"
            case "QUIT":
                return None
        return "500 5.5.1 There is no such command"

    def _hello(self, verb: str, name: str) -> str:
        if not name:
            return "501 5.5.4 Say who you are"
        self._greeted = True
        self._forget()
        return "250 localhost" if verb == "HELO" else HELLO

    def _mail(self, said: re.Match[str] | None) -> str:
        if not self._greeted:
            return "503 5.5.1 Say EHLO first"
        if self._sender is not None:
            return "503 5.5.1 There is a sender already; RSET forgets it"
        if said is None:
            return "501 5.5.4 Write MAIL FROM:<name@domain>; SIZE and BODY are understood"
        if int(said[2] or 0) > MAX_MAIL:
            return "552 5.3.4 The mail is too large"
        self._sender = said[1]
        return "250 2.1.0 OK"

    def _rcpt(self, said: re.Match[str] | None) -> str:
        if self._sender is None:
            return "503 5.5.1 Name the sender first"
        if said is None:
            return "501 5.5.4 Write RCPT TO:<name@domain>"
        if len(self._recipients) == MAX_RECIPIENTS:
            return "452 4.5.3 That is enough recipients for one mail"
        self._recipients.append(said[1])
        return "250 2.1.5 OK"

    async def _data(self) -> str:
        if self._sender is None or not self._recipients:
            return "503 5.5.1 Name the sender and a recipient first"
        envelope = [f"X-Envelope-From: <{self._sender}>", *(f"X-Envelope-To: {to}" for to in self._recipients)]
        mail = bytearray("".join(f"{line}\r\n" for line in envelope).encode())
        self._forget()
        await self._say("354 End with a line that holds only a dot")
        refusal = await self._receive(mail)
        try:
            if not refusal:
                await asyncio.to_thread(self._shelf.keep, mail)
        except OSError as error:
            refusal = f"451 4.3.0 The mail cannot be kept: {error.strerror}"
        return refusal or "250 2.6.0 The mail is on the disk"

    async def _receive(self, mail: bytearray) -> str:
        """Read to the dot in any case: what is refused must not be taken for commands."""
        refusal = ""
        while (line := await self._line()) != b".":
            if line is None or len(line := line.removeprefix(b".")) > MAX_LINE:  # section 4.5.2: dots are doubled
                refusal = refusal or "500 5.5.2 A line of the mail is too long"
            elif len(mail) + len(line) + 2 > MAX_MAIL:
                refusal = refusal or "552 5.3.4 The mail is too large"
            elif not refusal:
                mail += line + b"\r\n"
        return refusal

    async def _line(self) -> bytes | None:
        """A line without its CR LF, or None for one that is too long. A bare CR or LF ends nothing."""
        too_long = False
        async with asyncio.timeout(IDLE):
            while True:
                try:
                    line = await self._reader.readuntil(b"\r\n")
                    return None if too_long else line[:-2]
                except asyncio.LimitOverrunError as error:
                    await self._reader.readexactly(error.consumed)
                    too_long = True

    async def _say(self, answer: str) -> None:
        self._writer.write(f"{answer}\r\n".encode())
        await self._writer.drain()


async def serve(folder: Path, port: int) -> None:
    """Keep mail until SIGTERM or SIGINT. Port 0 is any free one; the line printed names it."""
    shelf, stop = Shelf(folder), asyncio.Event()
    server = await asyncio.start_server(lambda *ends: Client(shelf, *ends).serve(), HOST, port, limit=MAX_LINE + 1)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(f"listening on {HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()


def options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--folder", type=Path, default=Path("var/inbox"), help="where mails go (default: %(default)s)")
    parser.add_argument("--port", type=int, default=1025, help="on 127.0.0.1; 0: any free one (default: %(default)s)")
    return parser


if __name__ == "__main__":
    given = options(argparse.ArgumentParser(description="Keep every mail as a file and deliver none.")).parse_args()
    asyncio.run(serve(given.folder, given.port))
