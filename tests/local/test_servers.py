"""The servers of a local system, as they are started."""

from __future__ import annotations

from pathlib import Path

from webapi.local.layout import lay_out
from webapi.local.servers import web


def test_the_web_server_has_the_threads_and_processes_that_are_set(tmp_path: Path) -> None:
    given = {"WEB_THREADS": 32, "LIVE_WATCHERS": 5, "WEB_CONCURRENCY": 2, "REDIS_URL": "redis://127.0.0.1:6379/0"}
    words = list(web(lay_out(tmp_path / "var", given, print), {}).command)
    assert words[words.index("--workers") + 1] == "2"
    assert words[words.index("--blocking-threads") + 1] == str(32 + 4 * 32 + 5)
