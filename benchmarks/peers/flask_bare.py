"""Flask that only answers: what the server and the framework cost before anything is done."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

app = Flask(__name__)


@app.post("/add")
def submit() -> tuple[dict[str, Any], int]:
    """Say what was asked for."""
    return {"id": request.get_json()["a"]}, 202
