"""`python -m webapi.local run | demo | drill | smtp`"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from webapi.local import smtp_sink

DESCRIPTION = "Everything on nothing: the whole system on a machine that has only Python."
RUN = """Bring everything up in var/: a private Valkey, an SQLite database, an inbox, the web and a worker.
What the environment or .env decides already (DATABASE_URL, REDIS_URL, MAIL_SERVER, PORT, …) is used as it is."""
DEMO = """Bring the same up in a scratch folder, go through the real doors as a stranger would, and print what happened.
Settings of the environment are not used, and nothing is left behind."""

DRILL = """Bring a system up in a scratch folder, give it work, kill its parts at random with SIGKILL, and count what
arrived. The exit status is 0 only when nothing was lost, nothing was done twice, and no verdict was wrong."""
SMTP = "An SMTP server on 127.0.0.1 that keeps every mail as a file in a folder and delivers none."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m webapi.local", description=DESCRIPTION)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("run", help="bring everything up, until Ctrl-C", description=RUN)
    verbs.add_parser("demo", help="send the main jobs through the real doors", description=DEMO)
    _drill_options(verbs.add_parser("drill", help="prove the promises under SIGKILL", description=DRILL))
    smtp_sink.options(verbs.add_parser("smtp", help="keep every mail as a file and deliver none", description=SMTP))
    given = parser.parse_args()
    if given.verb == "smtp":
        return _smtp(given.folder, given.port)
    if given.verb == "run":
        from webapi.local.run import (
            run,  # not above: the others load the application, and this starts its servers first
        )

        return run()
    if given.verb == "drill":
        from webapi.local.drill.plan import Size
        from webapi.local.drill.stage import drill

        return drill(given.database, given.seed, Size.of(given.minutes))
    from webapi.local.demo import demo

    return demo()


def _drill_options(parser: argparse.ArgumentParser) -> None:
    databases = ("sqlite", "postgresql")
    parser.add_argument("--database", choices=databases, default="sqlite", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats a drill's work and kills")
    parser.add_argument("--minutes", type=float, default=3.0, help="for all of it (default: %(default)s)")


def _smtp(folder: Path, port: int) -> int:
    try:
        asyncio.run(smtp_sink.serve(folder, port))
    except OSError as error:  # the port is taken, or the folder cannot be written
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
