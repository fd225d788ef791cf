"""What a server or a worker must not have to import: it costs each process memory, and each start time."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from tests.contracts.source import ROOT
from webapi.config import environment

# What reads and writes files of data, pictures and documents belongs to children, and S3 to who has a bucket.
HEAVY = {
    "PIL", "boto3", "botocore", "duckdb", "matplotlib", "numpy", "openpyxl", "pandas", "polars", "pyarrow", "scipy",
    "typst", "xlsxwriter",
}  # fmt: skip
# For those who migrate, sign mails, report errors or trace. Each is there only where it is configured.
AT_TIMES = {"alembic", "flask_migrate", "dkim", "dns", "sentry_sdk", "webapi.spans", "google.protobuf"}
OTHERS = {"valkey", "pytest", "flower", "playwright"}  # that happen to be installed
PRODUCTION = {
    "WEBAPI_ENV": "production",
    "SECRET_KEY": "a-key-of-the-tests-that-is-long-enough-for-it",
    "DATABASE_URL": "postgresql://webapi@127.0.0.1:1/webapi",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PUBLIC_URL": "https://jobs.example.com",
    "METRICS_TOKEN": "a-token-of-the-tests",
}
WEB = "import wsgi; wsgi.app.test_client().get('/healthz', base_url='https://jobs.example.com')"
# As `celery -A wsgi:celery worker -Q email` makes it, without taking messages.
WORKER = "import wsgi; from celery.apps.worker import Worker; Worker(app=wsgi.celery, queues='email', pool='prefork')"


SAY = "import gc, json, sys; print(json.dumps([gc.get_freeze_count(), sorted(sys.modules)]))"


@cache
def made_of(code: str) -> tuple[int, frozenset[str]]:
    """Of a process that ran this: the objects that the collector does not look at, and the modules."""
    words = [sys.executable, "-c", f"{code}\n{SAY}"]
    done = subprocess.run(
        words, cwd=ROOT, env=environment(PRODUCTION), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    frozen, modules = json.loads(done.stdout.splitlines()[-1])
    return frozen, frozenset(modules)


@pytest.mark.parametrize("process", [WEB, WORKER], ids=["web", "worker"])
@pytest.mark.parametrize("unwanted", [HEAVY, AT_TIMES, OTHERS], ids=["heavy", "at times", "others"])
def test_a_process_imports_what_it_needs(process: str, unwanted: set[str]) -> None:
    found = sorted(unwanted & made_of(process)[1])
    assert not found, f"{found}: import them by importlib where they are used, or in a module that only a child imports"


def test_it_is_looked_at_whether_they_are_there_at_all() -> None:
    """A process that imports one of them is seen to have it."""
    assert {"duckdb", "alembic"} <= made_of("import duckdb, alembic")[1]


def test_what_a_process_is_made_of_is_out_of_the_collectors_sight() -> None:
    """So that children go on sharing it with their parent: to look at an object is to write into its page."""
    assert made_of(WORKER)[0] > 100_000
