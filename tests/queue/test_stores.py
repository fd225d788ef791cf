"""Which store an app has, and what is said where its library is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import BASE
from tests.processes import ROOT
from webapi import create_app
from webapi.queue.disk import DiskStore
from webapi.queue.s3.store import S3Store


@pytest.mark.parametrize(
    ("url", "kind", "where"),
    [("var/files", DiskStore, str(ROOT / "var" / "files")), ("s3://bucket/a/b?region=x", S3Store, "s3://bucket/a/b")],
)
def test_the_address_says_which(url: str, kind: type, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    store = create_app({**BASE, "DATABASE_URL": "sqlite://", "STORAGE_URL": url}).extensions["files"]
    assert (type(store), store.where) == (kind, where)


# A Python without boto, in which a disk is begun and then a bucket.
WITHOUT = f"""
import sys
sys.modules["boto3"] = sys.modules["botocore"] = None
from webapi import create_app
base = {BASE!r} | {{"DATABASE_URL": "sqlite://"}}
create_app(base | {{"STORAGE_URL": "var/files"}})
print([name for name in sys.modules if name.startswith("webapi.queue.s3")])
create_app(base | {{"STORAGE_URL": "s3://bucket"}})
"""


def test_without_the_library_a_disk_works_and_a_bucket_is_refused_with_the_command() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n"
    assert "pip install 'webapi[s3]'" in done.stderr.splitlines()[-1]
