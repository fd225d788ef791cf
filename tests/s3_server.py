"""An S3 of the tests: moto as an HTTP server in a process of its own, gone with the tests."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from boto3.session import Session

from tests.servers import free_port
from tests.waiting import until
from webapi.buckets import bucket
from webapi.queue.s3.store import S3Store

KEYS = {"S3_ACCESS_KEY_ID": "tests", "S3_SECRET_ACCESS_KEY": "secret of the tests"}


@dataclass(frozen=True)
class Pail:
    """A bucket that only this test uses. Its server may be asked through another port of this machine."""

    port: int
    name: str

    def url(self, port: int | None = None, **options: object) -> str:
        asked = "".join(f"&{name}={value}" for name, value in options.items())
        return f"s3://{self.name}/web/api?endpoint=http://127.0.0.1:{port or self.port}{asked}"

    def store(self, folder: Path, port: int | None = None, **options: object) -> S3Store:
        return S3Store(bucket(self.url(port, **options)), str(folder), *KEYS.values())

    @property
    def client(self) -> Any:
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS.values(), strict=True))
        return Session(region_name="us-east-1", **keys).client("s3", endpoint_url=f"http://127.0.0.1:{self.port}")

    def listed(self) -> list[str]:
        """Of all objects, without the prefix."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [each["Key"].removeprefix("web/api/") for each in listed]


@contextmanager
def s3_server() -> Iterator[int]:
    """The port at which it listens."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: _answers(port), seconds=60, what="the S3 of the tests to answer")
        yield port
    finally:
        server.kill()
        server.wait()


def new_pail(port: int) -> Pail:
    pail = Pail(port, f"tests-{uuid4().hex}")
    pail.client.create_bucket(Bucket=pail.name)
    return pail


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
