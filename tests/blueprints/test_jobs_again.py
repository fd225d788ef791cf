"""The curl line on a job's page, run by a real shell against a real server."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Person
from tests.web_server import web_server

LINE = re.compile(r'<details id="curl">.*?<pre tabindex="0"><code>(.*?)</code></pre>', re.DOTALL)
AWKWARD = ['it\'s "quoted"', "$HOME `id` $(id) \\ \\n !! %s", "ä€😀", "two\nlines", "-x @file", "</code>"]
PAYLOADS: list[tuple[str, dict[str, Any], str]] = [
    ("data.process", {"data": AWKWARD}, "tag=a&tag=b:c&priority=2"),
    ("email.send", {"to": ["bob@example.com"], "subject": "It's me", "text": "\n".join(AWKWARD)}, "tag=mail"),
    ("http.call", {"url": "https://example.com/?a=1&b='2'", "secret_headers": {"X-Key": "canary-of-curl"}}, "tag=call"),
]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_line_submits_the_same_job_again(app: Flask, ada: Person, tmp_path: Path) -> None:
    with web_server(app, tmp_path / "web.log") as server:
        app.config["PUBLIC_URL"] = f"http://127.0.0.1:{server.port}"
        client = app.test_client()
        for kind, payload, query in PAYLOADS:
            first = client.post(f"/api/v1/jobs/{kind}?{query}", json=payload, headers=ada.headers).json or {}
            page = client.get(f"/jobs/{first['id']}", headers=ada.headers).text
            (line,) = LINE.findall(page)
            assert ada.key not in page
            whole = html.unescape(line).replace("***", "the secret, which somebody has to fill in")
            done = subprocess.run(
                ["sh", "-c", whole], env={"WEBAPI_KEY": ada.key, "PATH": "/usr/bin:/bin"},
                capture_output=True, text=True, timeout=30, check=True,
            )  # fmt: skip
            again = json.loads(done.stdout)
            same = ("kind", "payload", "tags", "priority", "callback_url")
            assert {name: again.get(name) for name in same} == {name: first[name] for name in same}, done.stdout
            assert again["id"] != first["id"]
