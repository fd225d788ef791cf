"""Flask and Procrastinate, which keeps its jobs in PostgreSQL."""

from __future__ import annotations

import os

from flask import Flask, request
from procrastinate import App, PsycopgConnector

from benchmarks.peers.done import tell

app = Flask(__name__)
queue = App(connector=PsycopgConnector(conninfo=os.environ["PEER_DATABASE_URL"], max_size=16))
queue.open()


@queue.task(name="add")
def add(a: int, b: int, token: str = "") -> int:
    """Add, and say so to who waits."""
    tell(token)
    return a + b


@app.post("/add")
def submit() -> tuple[dict[str, int], int]:
    """Commit a job."""
    return {"id": add.defer(**request.get_json())}, 202
