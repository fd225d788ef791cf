"""The file store in a bucket: `objects/ab/abcd…/<id>`.

Each upload has a key of its own, which is never written again: who deletes an old copy of some bytes cannot meet
somebody who keeps the same bytes at that moment. Any copy will do for reading; the first one listed is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

from structlog import get_logger
from uuid_utils.compat import uuid7

from webapi.buckets import Bucket
from webapi.failpoints import failpoint
from webapi.queue.files import Damaged, Named, Store, Stored, check, copied
from webapi.queue.s3.calls import Calls
from webapi.queue.s3.faults import BROKEN, away, explained
from webapi.queue.s3.reading import gone, reading

PAGE = 500  # keys that are asked for at once
LINK_SECONDS = 60

log = get_logger()


class S3Store(Store):
    """An object is there whole or not at all. What is under way, and what a program must have as a file, is local."""

    remote = True

    def __init__(self, bucket: Bucket, root: str, key_id: str | None = None, secret: str | None = None) -> None:
        super().__init__(root)
        self.where = bucket.place
        self._bucket = bucket
        self._calls = Calls(bucket, key_id, secret)

    def open(self, sha256: str) -> BufferedReader:
        return reading(self._calls, *self._find(sha256))

    def local(self, sha256: str, folder: Path) -> Path:
        path = folder / sha256
        if not path.exists():
            self.copy(sha256, path)
        return path

    def copy(self, sha256: str, path: Path) -> None:
        try:
            self._fetch(sha256, path)
        except Damaged:
            log.warning("file came damaged; fetching it again", sha256=sha256)
            self._fetch(sha256, path)

    def link(self, sha256: str, media_type: str, disposition: str) -> str | None:
        if not self._bucket.links:
            return None
        key, _ = self._find(sha256)
        headers = {"ResponseContentType": media_type, "ResponseContentDisposition": disposition}
        asked = {"Bucket": self._bucket.name, "Key": key, **headers, "ResponseCacheControl": "no-store"}
        with away():
            return str(self._calls.client.generate_presigned_url("get_object", asked, ExpiresIn=LINK_SECONDS))

    def collect(self, shard: int, age: float, named: Named) -> int:
        """Of several copies of what is named the first one stays, which is the one that is read."""
        removed, before = 0, ""
        for page in self._pages(f"{self._bucket.prefix}objects/{shard:02x}/", age):
            known = named({_sha256(key) for key, _ in page})
            for key, is_old in page:
                if key < before:  # a store without an order: whose first copy is another one at each look
                    return removed
                copy = _sha256(key) == _sha256(before)
                before = key
                if is_old and (copy or _sha256(key) not in known):
                    self._ask("delete_object", Key=key)
                    removed += 1
        return removed

    def check(self) -> None:
        super().check()
        key = f"{self._bucket.prefix}probe/{uuid7()}"
        try:
            self._calls.once("list_objects_v2", Prefix=key, MaxKeys=1)
            self._calls.once("put_object", Key=key, Body=b"x")
            self._calls.once("get_object", Key=key)["Body"].read()
            self._calls.once("delete_object", Key=key)
        except BROKEN as error:
            raise explained(error, self.where) from None

    def _take(self, path: Path, stored: Stored) -> None:
        key = f"{self._folder(stored.sha256)}{uuid7()}"
        failpoint("A1")
        with away(), path.open("rb") as file:
            self._calls.upload(file, key, stored.size)
        path.unlink()

    def _fetch(self, sha256: str, path: Path) -> None:
        try:
            with self.open(sha256) as source, path.open("wb") as target:
                check(sha256, copied(source, target).sha256)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _folder(self, sha256: str) -> str:
        return f"{self._bucket.prefix}objects/{sha256[:2]}/{sha256}/"

    def _find(self, sha256: str) -> tuple[str, int]:
        """A key and its size. Raises FileNotFoundError."""
        found = self._ask("list_objects_v2", Prefix=self._folder(sha256), MaxKeys=1).get("Contents", [])
        if not found:
            raise gone(sha256)
        return found[0]["Key"], found[0]["Size"]

    def _pages(self, prefix: str, age: float) -> Iterator[list[tuple[str, bool]]]:
        """Keys, and whether each is older than `age` seconds by the store's own clock."""
        more: dict[str, str] = {}
        while True:
            answer = self._ask("list_objects_v2", Prefix=prefix, MaxKeys=PAGE, **more)
            limit = _clock(answer) - timedelta(seconds=age)
            yield [(each["Key"], each["LastModified"] < limit) for each in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _ask(self, operation: str, **values: Any) -> dict[str, Any]:
        with away():
            return self._calls.ask(operation, **values)


def _clock(answer: dict[str, Any]) -> datetime:
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told) if told else datetime.now(UTC)


def _sha256(key: str) -> str:
    return key.rpartition("/")[0].rpartition("/")[2]
