"""`python -m webapi.serve`: the web server, with a thread for each request and for each open page that is live.

docs/decisions/0007-watchers-hold-threads.md says why a page holds a thread.
"""

from __future__ import annotations

import argparse
import os
import sys

from webapi.config import Settings, environment, from_env
from webapi.errors import ConfigError
from webapi.threads import threads

WATCHERS = 200  # open pages that one process keeps up to date, unless LIVE_WATCHERS says otherwise
PATIENCE = 10  # seconds for requests under way when it is to stop; a live page would hold it for a minute
DESCRIPTION = """Serve HTTP on PORT with WEB_CONCURRENCY processes. In each, WEB_THREADS requests run at once, four
times as many wait, and LIVE_WATCHERS pages are kept up to date; each of them has a thread.
LIVE_WATCHERS is 200 here unless it is set, since this starts the threads that they need."""


def command(host: str, port: int, most: int, processes: int = 1, patience: int = PATIENCE) -> list[str]:
    """The command line of granian with `most` threads in each process; `patience` is in seconds."""
    options = {
        "--interface": "wsgi",
        "--host": host,
        "--port": port,
        "--workers": processes,
        "--blocking-threads": most,
        "--workers-kill-timeout": patience,
    }
    return [sys.executable, "-m", "granian", "wsgi:app", *(str(word) for option in options.items() for word in option)]


def main() -> None:
    """Become granian: no process of ours stands between it and who stops it."""
    parser = argparse.ArgumentParser(prog="python -m webapi.serve", description=DESCRIPTION)
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address to listen on (%(default)s); a container needs all of them"
    )
    host: str = parser.parse_args().host
    try:
        from_env()
    except ConfigError as error:
        sys.exit(str(error))
    given = Settings()
    watchers = given.LIVE_WATCHERS if "LIVE_WATCHERS" in given.model_fields_set else WATCHERS
    words = command(host, given.PORT, threads(given.WEB_THREADS, watchers), given.WEB_CONCURRENCY)
    os.execve(words[0], words, environment({"LIVE_WATCHERS": str(watchers)}))  # noqa: S606 # nosec B606


if __name__ == "__main__":
    main()
